/*
 * The words that cores write while packets flow, and the one difference between the two layouts of this image.
 *
 *   padded   all words of one owner lie together, alone on their own 128 bytes (two lines: the adjacent-line prefetcher
 *            pairs them). False sharing is off.
 *   packed   each word is an array over all owners, side by side. False sharing is on.
 *
 * The same sources use both through the accessor macros at the end. Each group can be switched by its own macro:
 * LAYOUT_CORE_WORDS, LAYOUT_QUEUE_WORDS, LAYOUT_DROPS, LAYOUT_RING_WORDS, each 0 (packed) or 1 (padded).
 *
 * Invariant: every word has exactly one writer at any time, named by its owner; anybody may read. No word needs an
 * atomic read-modify-write.
 */
#ifndef PIX_SHARED_H
#define PIX_SHARED_H

#include <stdint.h>
#include "drops.h"
#include "capacity.h"

#ifndef LAYOUT_PADDED
#error "say which layout: LAYOUT_PADDED 0 or 1"
#endif
#ifndef LAYOUT_CORE_WORDS
#define LAYOUT_CORE_WORDS LAYOUT_PADDED
#endif
#ifndef LAYOUT_QUEUE_WORDS
#define LAYOUT_QUEUE_WORDS LAYOUT_PADDED
#endif
#ifndef LAYOUT_DROPS
#define LAYOUT_DROPS LAYOUT_PADDED
#endif
#ifndef LAYOUT_RING_WORDS
#define LAYOUT_RING_WORDS LAYOUT_PADDED
#endif

#define PADDED_ALIGN 128

/* W(type, name, owner, why), one of them for each core that runs a QGM. */
#define CORE_WORDS(W)                                                                             \
    W(uint32_t, pool_head, "core", "top of the stack of free buffers, moved for every batch")     \
    W(uint64_t, busy_cycles, "core", "cycles of the loop's turns that handled frames")            \
    W(uint64_t, busy_packets, "core", "frames that these turns handled")                          \
    W(uint64_t, busy_polls, "core", "turns of the loop that handled frames")                      \
    W(uint64_t, polls, "core", "turns of the loop; moving on proves a quiescent state")           \
    W(uint64_t, originated, "core", "frames made by this QGM: ARP requests, ICMP errors")         \
    W(uint64_t, consumed, "core", "frames that ended here by purpose: ARP replies")               \
    W(uint64_t, icmp_suppressed, "core", "ICMP errors that the rate limit forbade")                \
    W(uint64_t, held, "core", "frames that wait for a neighbour's address now")                   \
    W(uint64_t, ring_in, "core", "frames taken from the rings of other cores")                    \
    W(uint64_t, ring_out, "core", "frames put into the rings of other cores")

/* One for each queue pair. The owner is the core whose QGM has it; soft heads count up and wrap at 16 bits like virtio's indices. */
#define QUEUE_WORDS(W)                                                                            \
    W(uint16_t, rx_posted, "core", "soft head of the receive queue: buffers given")         \
    W(uint16_t, rx_taken, "core", "soft tail of the receive queue: frames taken")           \
    W(uint16_t, tx_posted, "core", "soft head of the transmit queue: frames given")         \
    W(uint16_t, tx_reclaimed, "core", "soft tail of the transmit queue: buffers returned")  \
    W(uint64_t, rx_packets, "core", "frames received, added to once a batch")               \
    W(uint64_t, rx_bytes, "core", "their bytes without FCS, added to once a batch")         \
    W(uint64_t, tx_packets, "core", "frames put into the transmit queue")                   \
    W(uint64_t, tx_bytes, "core", "their bytes without FCS")

/* One for each (producer, consumer) pair of cores. */
#define RING_WORDS(W)                                                                             \
    W(uint32_t, ring_head, "producer", "messages written into the ring of this pair")             \
    W(uint32_t, ring_tail, "consumer", "messages taken out of the ring of this pair")

/* Written by one core: its drops by the port that the frame came in by. */
struct drop_words {
    uint64_t count[MAX_PORTS][DROP_REASONS];
};

#define WORD_ALONE(type, name, owner, why) type name;
#define WORD_OF_CORES(type, name, owner, why) type name[MAX_CORES];
#define WORD_OF_QUEUES(type, name, owner, why) type name[MAX_QUEUE_PAIRS];
#define WORD_OF_PAIRS(type, name, owner, why) type name[MAX_CORES][MAX_CORES];
#define ALONE __attribute__((aligned(PADDED_ALIGN)))

#if LAYOUT_CORE_WORDS
struct core_words { CORE_WORDS(WORD_ALONE) } ALONE;
#define CORE_WORD(number, name) (shared.core[number].name)
#else
struct core_words { CORE_WORDS(WORD_OF_CORES) };
#define CORE_WORD(number, name) (shared.core[0].name[number])
#endif

#if LAYOUT_QUEUE_WORDS
struct queue_words { QUEUE_WORDS(WORD_ALONE) } ALONE;
#define QUEUE_WORD(pair, name) (shared.queue[pair].name)
#else
struct queue_words { QUEUE_WORDS(WORD_OF_QUEUES) };
#define QUEUE_WORD(pair, name) (shared.queue[0].name[pair])
#endif

#if LAYOUT_DROPS
struct core_drops { struct drop_words words; } ALONE;
#else
struct core_drops { struct drop_words words; };
#endif
#define DROP_WORD(core, port, why) (shared.drops[core].words.count[port][why])

/* Head and tail have different writers, so padded means a line pair for each word of each pair. */
#if LAYOUT_RING_WORDS
#define RING_WORD_ALONE(type, name, owner, why) struct { type value ALONE; } name[MAX_CORES][MAX_CORES];
struct ring_words { RING_WORDS(RING_WORD_ALONE) };
#define RING_WORD(producer, consumer, name) (shared.ring.name[producer][consumer].value)
#else
struct ring_words { RING_WORDS(WORD_OF_PAIRS) };
#define RING_WORD(producer, consumer, name) (shared.ring.name[producer][consumer])
#endif

struct shared {
    struct core_words core[LAYOUT_CORE_WORDS ? MAX_CORES : 1];
    struct queue_words queue[LAYOUT_QUEUE_WORDS ? MAX_QUEUE_PAIRS : 1];
    struct core_drops drops[MAX_CORES];
    struct ring_words ring;
} ALONE;

extern struct shared shared;

#endif
