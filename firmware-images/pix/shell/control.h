/*
 * The control plane's state and operations. It runs on the generic core; what a QGM owns it changes by messages only.
 * Operations return null when done and otherwise say in a few words what is wrong, for an `error:` line.
 */
#ifndef PIX_CONTROL_H
#define PIX_CONTROL_H

#include "fib.h"
#include "qgm.h"
#include "rib.h"
#include "tuning.h"
#include "virtio_net.h"

#define NEXT_HOPS 4096

/*
 * Invariant: while started, ports, pairs and what is in a QGM belong to the QGMs, as qgm/qgm.h says. owners[port][queue] is
 * what was configured: the core whose QGM has that queue pair, or 0.
 */
struct control {
    uint32_t port_count;
    struct port ports[MAX_PORTS];
    struct virtio_net nets[MAX_PORTS];
    uint8_t owners[MAX_PORTS][MAX_PORT_QUEUES];
    uint32_t pair_count;
    struct queue_pair pairs[MAX_QUEUE_PAIRS];
    struct fib fib;
    struct rib rib;
    struct next_hop hops[NEXT_HOPS]; /* 0 is HOP_NONE */
    uint32_t hop_users[NEXT_HOPS];   /* routes that lead to it */
    struct qgm qgms[MAX_CORES]; /* by core; one without a queue pair does not run */
    struct tuning tuning;
    struct own_addresses own;
    uint64_t tsc_hz;            /* as of the last start */
    bool started;
    uint64_t ready_tsc;
    char file_sha256[65];
};

extern struct control control;

/* Clears the tables, measures the file's digest and finds the ports. Prints what it leaves out. */
void control_init(void);

/* Formats a reason for an `error:` line; valid until the next one. */
const char *control_reason(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* Whether the QGM of a core runs now. */
bool control_qgm_runs(uint32_t core);
/* Returns when no QGM can still have, nor any frame in a ring still bear, what was unlinked before the call. */
void control_quiesce(void);
/* Waits until the word has this value; false after two seconds. */
bool control_wait_for(const uint32_t *word, uint32_t value);

/* Has the QGM of a core carry a message out, or does it itself while that QGM does not run. */
const char *control_request(uint32_t core, struct message *message);
/* The same with the QGM that keeps the neighbours of message->port. */
const char *control_request_keeper(struct message *message);
/* The same with every QGM, one after the other. */
const char *control_request_all(const struct message *message);

/* shell/start.c: frequency of the time stamp counter; takes 20 ms. */
uint64_t control_measure_tsc_hz(void);
/* shell/start.c: builds queues, rings and pools as configured and runs the QGMs, or nothing if anything is wrong. */
const char *control_start(void);
const char *control_stop(void);

/* shell/address.c */
const char *control_address_add(uint32_t port, uint32_t address, unsigned length);
const char *control_address_remove(uint32_t port);

/* shell/routes.c: FIB, RIB and next hops together. */
void routes_init(void);
const char *routes_add(struct route route, struct next_hop hop);
const char *routes_add_static(uint32_t prefix, unsigned length, uint32_t gateway);
void routes_remove(struct route *route);
/* Removes the routes that lead out by a port, or stand for its own addresses. */
void routes_remove_of_port(uint32_t port);
/* Removes the routes that were added by routes_add_static. */
void routes_remove_static(void);

#endif
