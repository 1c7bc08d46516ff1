/*
 * Queue group manager: owns queue pairs of ports, takes frames from their receive queues, routes them and puts them into
 * transmit queues. One runs on each exclusive core that has been given a queue pair, in ring 3, and polls: no timer, no
 * interrupt, no system call but the last. A frame that leaves by a port of which this QGM has no queue pair crosses the
 * ring (qgm/ring.h) to one that has.
 *
 * Invariants:
 *  - a QGM touches its own queue pairs and its own core's words only. The neighbours of a port, and all that is held for
 *    them, belong to one QGM, the port's keeper; others read them;
 *  - frames between any two queue pairs take one way only: straight out, or by one ring to the keeper or to the first
 *    owner of the way out. So they keep their order, and a ring's frames are not queued anew at its end;
 *  - the generic core speaks to a QGM through the message ring of the pair.
 */
#ifndef PIX_QGM_H
#define PIX_QGM_H

#include "capacity.h"
#include "fib.h"
#include "frame.h"
#include "neighbour.h"
#include "own.h"
#include "ring.h"
#include "shared.h"
#include "tuning.h"
#include "virtqueue.h"

#define LINK_HEADER 12       /* bytes of the virtio header before a frame: zero, or as a card wrote it, which has no offloads */
#define BUFFER_SIZE 2240     /* an odd multiple of 64: the first lines of buffers spread over all cache sets */
#define PENDING_MAX 64       /* incomplete neighbours of one QGM */
#define MESSAGE_RING_LENGTH 8
#define NO_PAIR 0xff
#define HOP_NUMBER_KEEPER 0  /* in a ring's slot: no next hop, the frame is for the keeper of the port that it came in by */

_Static_assert(BUFFER_SIZE % 64 == 0 && BUFFER_SIZE / 64 % 2 == 1, "odd multiple of a line");

/* Made in passing: a fragment, the ICMP error about it, and a fragment of that. */
#define IN_THE_MAKING 3

/* Every frame of a QGM that can be held, staged or in hand; with its full queues it has that many buffers, and its pool is never empty. */
#define BUFFERS_BESIDE_QUEUES (PENDING_MAX * HOLD_MAX + (MAX_PORTS + 1) * BATCH_MAX + IN_THE_MAKING)

enum hop_kind { HOP_NONE, HOP_CONNECTED, HOP_GATEWAY, HOP_LOCAL, HOP_BROADCAST };

/* Where a route leads. Written before a FIB entry refers to it; not changed while one does. */
struct next_hop {
    uint8_t kind; /* enum hop_kind */
    uint8_t port;
    uint16_t neighbour; /* HOP_GATEWAY: number in the port's table */
    uint32_t gateway;   /* HOP_GATEWAY: its address */
};

/* A queue pair of a port. The generic core sets it up; only the QGM that owns it uses it then. */
struct queue_pair {
    struct virtqueue rx, tx;
    uint8_t port;
    uint8_t queue; /* which of the port's */
    uint8_t qgm;   /* core of the owner */
} __attribute__((aligned(128)));

/* A data port, written by the generic core alone. */
struct port {
    struct neighbour_table *neighbours;
    uint64_t mac;     /* six bytes in memory order */
    uint32_t address; /* host byte order; 0: none */
    uint32_t mask;
    uint16_t mtu;     /* bytes of the longest IPv4 packet */
    uint8_t length;   /* of the prefix */
    uint8_t keeper;   /* core of the QGM that has its first queue pair, and its neighbours; 0: none */
    bool started;
} __attribute__((aligned(128)));

struct staged {
    uint32_t count;
    struct frame frame[BATCH_MAX];
};

struct pending {
    uint8_t port;
    uint16_t neighbour;
};

/* What a QGM does to make the address of a port that it keeps known. */
struct claim {
    uint8_t announcements; /* still to be sent */
    bool disputed;         /* somebody else has claimed it */
    uint64_t announced_tsc, disputed_tsc;
};

struct qgm {
    uint32_t core;
    uint32_t batch;           /* frames taken from a queue or ring at once, 1 to BATCH_MAX */
    uint32_t pair_count;
    uint8_t pair_list[MAX_QUEUE_PAIRS];
    uint32_t port_count;
    uint8_t port_list[MAX_PORTS];  /* ports that it can send by */
    uint8_t tx_pair[MAX_PORTS];    /* its queue pair to send by, or NO_PAIR */
    uint8_t way_out[MAX_PORTS];    /* core whose QGM sends by a port of which this one has no queue pair */
    uint32_t peer_count;
    uint8_t peer_list[MAX_EXCLUSIVE_CORES]; /* cores of the other QGMs */
    bool stopping;
    const struct fib *fib;
    const struct next_hop *hops;
    const struct tuning *tuning;
    const struct own_addresses *own;
    const struct port *ports;      /* all of them */
    struct queue_pair *pairs;      /* all of them; pairs[n].qgm says whose */
    uint32_t *pool;      /* stack of the addresses of free buffers; its top is the core's word pool_head */
    uint64_t tsc_hz;
    uint64_t now_tsc;    /* at the last turn of the loop */
    uint64_t timer_tsc;  /* when arp_timer() is called next */
    uint32_t pending_count;
    struct pending pending[PENDING_MAX];
    struct claim claim[MAX_PORTS];
    struct { uint32_t port, set; } scan; /* where the search for old neighbours goes on: index into port_list, set */
    struct { uint64_t credit, since_tsc; } icmp_bucket;
    uint16_t ip_id;      /* of the last packet of our own */
    struct ring_end to[MAX_CORES], from[MAX_CORES]; /* my ends of the rings to and from each peer */
    struct staged staged[MAX_PORTS];
} __attribute__((aligned(128)));

enum message_kind {
    MESSAGE_TRACK,      /* port, address -> number of the neighbour, or -1; it stays where it is from now on */
    MESSAGE_UNTRACK,    /* port, address */
    MESSAGE_SET_STATIC, /* port, address, mac -> number, or -1 */
    MESSAGE_FLUSH,
    MESSAGE_ANNOUNCE,   /* port: its address is new */
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

/* What qgm_run() does first, and each turn of its loop: for a test that has QGMs take turns. */
void qgm_begin(struct qgm *qgm);
void qgm_turn(struct qgm *qgm);

/* The loop; returns by parking the core when MESSAGE_STOP has come. */
void qgm_run(struct qgm *qgm) __attribute__((noreturn));

/* Carries a message out. The generic core calls it itself only while the QGM does not run. */
void qgm_handle(struct qgm *qgm, struct message *message);

#endif
