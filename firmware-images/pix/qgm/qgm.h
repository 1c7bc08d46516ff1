/*
 * Queue group manager: owns ports, takes frames from their receive queues, routes them and puts them into the transmit
 * queues. One runs on an exclusive core, in ring 3, and polls: no timer, no interrupt, no system call but the last.
 *
 * Invariant: a QGM touches the queues, neighbours and words of the ports in its list only, and its own core's words.
 * The generic core speaks to it through the message ring of the pair.
 */
#ifndef PIX_QGM_H
#define PIX_QGM_H

#include "fib.h"
#include "frame.h"
#include "capacity.h"
#include "neighbour.h"
#include "shared.h"
#include "virtqueue.h"

#define LINK_HEADER 12       /* bytes of the virtio header before a frame */
#define BUFFER_SIZE 2240     /* an odd multiple of 64: the first lines of buffers spread over all cache sets */
#define PENDING_MAX 64       /* incomplete neighbours of one QGM */
#define MESSAGE_RING_LENGTH 8

_Static_assert(BUFFER_SIZE % 64 == 0 && BUFFER_SIZE / 64 % 2 == 1, "odd multiple of a line");

/* Full queues, and every frame that can be held, staged or in hand besides: the pool is never empty. */
#define BUFFERS (MAX_PORTS * 2 * QUEUE_LENGTH_MAX + PENDING_MAX * HOLD_MAX + (MAX_PORTS + 1) * BATCH + 1)

enum hop_kind { HOP_NONE, HOP_CONNECTED, HOP_GATEWAY, HOP_LOCAL, HOP_BROADCAST };

/* Where a route leads. Written before a FIB entry refers to it; not changed while one does. */
struct next_hop {
    uint8_t kind; /* enum hop_kind */
    uint8_t port;
    uint16_t neighbour; /* HOP_GATEWAY: number in the port's table */
    uint32_t gateway;   /* HOP_GATEWAY: its address */
};

/* A data port. The generic core writes the configuration, the QGM its queues. */
struct port {
    struct virtqueue rx, tx;
    struct neighbour_table *neighbours;
    uint64_t mac;      /* six bytes in memory order */
    uint32_t address;  /* host byte order; 0: none */
    uint32_t mask;
    uint16_t mtu;      /* bytes of the longest IPv4 packet */
    uint8_t length;    /* of the prefix */
    uint8_t qgm;       /* core that owns it; 0: none */
    bool started;
} __attribute__((aligned(128)));

struct staged {
    uint32_t count;
    struct frame frame[BATCH];
};

struct pending {
    uint8_t port;
    uint16_t neighbour;
};

struct qgm {
    uint32_t core;
    uint32_t port_count;
    uint8_t port_list[MAX_PORTS];
    bool stopping;
    const struct fib *fib;
    const struct next_hop *hops;
    struct port *ports;  /* all of them; ports[n].qgm says whose */
    uint32_t *pool;      /* stack of the addresses of free buffers; its top is the core's word pool_head */
    uint64_t tsc_hz;
    uint64_t now_tsc;    /* at the last turn of the loop */
    uint64_t timer_tsc;  /* when the pending neighbours are looked at next */
    uint32_t pending_count;
    struct pending pending[PENDING_MAX];
    struct staged staged[MAX_PORTS];
} __attribute__((aligned(128)));

enum message_kind {
    MESSAGE_TRACK,      /* port, address -> number of the neighbour, or -1; it stays where it is from now on */
    MESSAGE_UNTRACK,    /* port, address */
    MESSAGE_SET_STATIC, /* port, address, mac -> number, or -1 */
    MESSAGE_FLUSH,
    MESSAGE_CLEAR_COUNTERS,
    MESSAGE_STOP,
};

/* A request of the generic core. The ring's head and tail are words of shared.h; `result` is valid once it is taken. */
struct message {
    uint32_t kind; /* enum message_kind */
    uint32_t port;
    uint32_t address;
    uint8_t mac[8];
    int32_t result;
};

extern struct message message_ring[MAX_CORES][MESSAGE_RING_LENGTH]; /* from core 0, by consumer */

/* The loop; returns by parking the core when MESSAGE_STOP has come. */
void qgm_run(struct qgm *qgm) __attribute__((noreturn));

/* Carries a message out. The generic core calls it itself only while the QGM does not run. */
void qgm_handle(struct qgm *qgm, struct message *message);

#endif
