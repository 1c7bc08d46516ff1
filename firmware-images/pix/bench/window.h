/*
 * One window of a benchmark: what its cores share, and what each has to itself.
 *
 * Invariants:
 *  - a core writes its own struct bench_core and nobody else's; others read it after a meeting, or `silent` at any time;
 *  - the words that the benchmark is about (shared.h) are written by the core that they belong to, as the QGM does it;
 *  - buffers are numbers. At all times each is in one pool, one queue or one slot of a ring.
 */
#ifndef PIX_BENCH_WINDOW_H
#define PIX_BENCH_WINDOW_H

#include "bench.h"
#include "capacity.h"
#include "io.h"
#include "ring.h"
#include "shared.h"
#include "virtqueue.h"

#define BENCH_BUFFER_SIZE 192 /* an odd multiple of 64, as the QGM's: no two headers on one pair of lines */
#define ALONE_ON_LINES __attribute__((aligned(128)))

/* A frame on its way: classified, not yet handed on. */
struct bench_frame {
    uint32_t buffer, destination;
};

struct bench_core {
    uint32_t number;
    struct bench_window *window;
    uint32_t *pool; /* stack of free buffers; its top is the core's word pool_head */
    struct ring_end to[MAX_CORES], from[MAX_CORES]; /* by the other core; without slots where there is no ring */
    uint32_t sequence_to[MAX_CORES], sequence_from[MAX_CORES]; /* of the next message */
    uint32_t *rx, *tx;                                         /* queues of the synthetic port */
    struct bench_frame pending[BATCH_MAX];               /* [next, count) wait for room in a ring */
    uint32_t pending_next, pending_count;
    uint32_t free_after;                                       /* buffers in the pool when all has arrived */
    uint64_t random;
    uint8_t header[64];        /* what a received frame begins with */
    uint64_t sent, received;   /* messages, by now */
    uint64_t wrong;            /* messages out of order, at the wrong core or with the wrong content */
    uint64_t messages, cycles; /* received within the window, and how long that was */
    uint64_t longest_cycles;   /* the longest turn: long where the core was taken away */
    uint32_t silent ALONE_ON_LINES; /* it sends nothing any more */
    uint32_t meetings ALONE_ON_LINES;
} ALONE_ON_LINES;

/* A route of the forwarding benchmark, with the header checksum of a packet to it. */
struct bench_route {
    uint32_t destination; /* the last byte is the number of the core that it leads to */
    uint16_t checksum;
};

struct bench_window {
    const struct bench_platform *platform;
    struct bench_request request;
    uint32_t cores;
    uint64_t duration_cycles;
    void (*work)(struct bench_core *me);
    uint8_t *buffers;
    struct bench_route *routes;
    struct virtqueue queue;          /* the transmit benchmark's */
    uint64_t memory_used;
    uint64_t one_way_ps[2];          /* core-to-core latency before and after */
    uint32_t abort;                  /* a core has died: nobody waits any more */
    struct bench_core core[MAX_CORES];
    struct { uint32_t word ALONE_ON_LINES; } ball[MAX_CORES];
};

/* What a core runs in a window; argument: its struct bench_core. */
void bench_core_run(void *argument);

/* Returns when every core of the window has come here as often; at once when the window is aborted. */
void bench_meet(struct bench_core *me);

/* Core 1 plays with every other core in turn; returns the mean one-way latency in ps on core 1, 0 elsewhere or alone. */
uint64_t bench_one_way_ps(struct bench_core *me);

/* Takes zeroed memory, aligned to 128 bytes, for this window; a null pointer if there is none left. */
void *bench_allocate(struct bench_window *window, uint64_t size);

/* Each lays a window out and sets its work; returns what is wrong, or a null pointer. */
const char *bench_ring_prepare(struct bench_window *window);
const char *bench_forward_prepare(struct bench_window *window);
const char *bench_tx_prepare(struct bench_window *window);

/* Takes the routes of bench_forward_prepare() away. */
void bench_forward_clear(struct bench_window *window);

/* Connects two cores by a ring whose slots hold the buffers first, first + 1, ...; false if there is no memory. */
bool bench_connect(struct bench_window *window, uint32_t producer, uint32_t consumer, uint32_t first);

/* Latency of memory by working set size, and of a device register; prints its lines. */
const char *bench_memory(const struct bench_platform *platform);

/* Prints a line by lib/format.h. */
void bench_line(const struct bench_platform *platform, const char *text, ...);

static inline uint32_t bench_take(struct bench_core *me)
{
    return me->pool[--CORE_WORD(me->number, pool_head)];
}

static inline void bench_give(struct bench_core *me, uint32_t buffer)
{
    me->pool[CORE_WORD(me->number, pool_head)++] = buffer;
}

/* Whether all cores have fallen silent; what they sent is visible then. */
static inline bool bench_all_silent(const struct bench_window *window)
{
    for (uint32_t i = 1; i <= window->cores; i++)
        if (!__atomic_load_n(&window->core[i].silent, __ATOMIC_ACQUIRE))
            return false;
    return true;
}

/*
 * The loop of a core, with the counters of a QGM's: turns until the window is over, then without new messages until
 * everything that was sent has arrived. turn(me, sourcing) returns how many messages it handled.
 */
static inline __attribute__((always_inline)) void bench_turns(struct bench_core *me, uint32_t (*turn)(struct bench_core *, bool))
{
    const struct bench_window *window = me->window;
    uint64_t begin = read_tsc(), before = begin, now;
    do {
        uint32_t handled = turn(me, true);
        now = read_tsc();
        if (handled) {
            CORE_WORD(me->number, busy_cycles) += now - before;
            CORE_WORD(me->number, busy_packets) += handled;
            CORE_WORD(me->number, busy_polls)++;
        } else {
            cpu_relax();
        }
        CORE_WORD(me->number, polls)++;
        if (now - before > me->longest_cycles)
            me->longest_cycles = now - before;
        before = now;
    } while (now - begin < window->duration_cycles);
    me->cycles = now - begin;
    me->messages = me->received;
    while (!__atomic_load_n(&window->abort, __ATOMIC_RELAXED)) {
        bool last = bench_all_silent(window);
        uint32_t handled = turn(me, false);
        if (me->pending_next == me->pending_count)
            __atomic_store_n(&me->silent, 1, __ATOMIC_RELEASE);
        if (last && !handled)
            return;
    }
}

#endif
