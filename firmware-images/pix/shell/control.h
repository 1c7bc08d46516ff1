/*
 * The control plane's state and operations. It runs on the generic core; what a QGM owns it changes by messages only.
 * Operations return null when done and otherwise say in a few words what is wrong, for an `error:` line.
 */
#ifndef PIX_CONTROL_H
#define PIX_CONTROL_H

#include "fib.h"
#include "qgm.h"
#include "rib.h"
#include "virtio_net.h"

#define NEXT_HOPS 4096
#define QGM_CORE 1 /* the one exclusive core that runs a QGM */

struct control {
    uint32_t port_count;
    struct port ports[MAX_PORTS];
    struct virtio_net nets[MAX_PORTS];
    struct fib fib;
    struct rib rib;
    struct next_hop hops[NEXT_HOPS]; /* 0 is HOP_NONE */
    uint32_t hop_users[NEXT_HOPS];   /* routes that lead to it */
    struct qgm qgm;
    bool started;
    uint64_t ready_tsc;
    char file_sha256[65];
};

extern struct control control;

/* Clears the tables, measures the file's digest and finds the ports. Prints what it leaves out. */
void control_init(void);

/* Whether the QGM runs now. */
bool control_qgm_runs(void);
const char *control_start(void);
const char *control_stop(void);

/* Has the QGM carry a message out, or does it itself while the QGM does not run. */
const char *control_request(struct message *message);

const char *control_address_add(uint32_t port, uint32_t address, unsigned length);
const char *control_address_remove(uint32_t port);

/* shell/routes.c: FIB, RIB and next hops together. */
void routes_init(void);
const char *routes_add(struct route route, struct next_hop hop);
const char *routes_add_static(uint32_t prefix, unsigned length, uint32_t gateway);
void routes_remove(struct route *route);
/* Removes the routes that lead out by a port, or stand for its own addresses. */
void routes_remove_of_port(uint32_t port);

#endif
