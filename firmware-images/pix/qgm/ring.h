/*
 * Ring of one (producer core, consumer core) pair: frames on their way from the QGM that received them to the QGM that
 * has the port they leave by. One writer of each index, no locks, nothing stronger than load-acquire and store-release.
 *
 * Invariants:
 *  - head counts slots published by the producer, tail slots given back by the consumer; 0 <= head - tail <= length;
 *  - slots [tail, head) are the consumer's, all others the producer's;
 *  - every slot holds a buffer at all times. The producer puts a full one in and takes out the empty one that lay there;
 *    the consumer takes the full one and leaves an empty one of its own. So buffers cross in both directions by one
 *    ring, and each QGM always has as many as it began with;
 *  - each side keeps a copy of the other's index, which may be behind but never ahead, and looks at the word that both
 *    share only when the copy says full or empty; its own word it only writes.
 */
#ifndef PIX_RING_H
#define PIX_RING_H

#include <stdint.h>

struct ring_slot {
    uint64_t buffer; /* address of the buffer */
    uint16_t size;   /* bytes of the frame, without FCS */
    uint16_t hop;    /* number of the next hop */
    uint8_t in_port;
} __attribute__((aligned(16)));

/* One side's view of a ring. */
struct ring_end {
    struct ring_slot *slots;
    uint32_t mask;         /* length - 1; the length is a power of two */
    uint32_t next;         /* slots filled (producer) or taken (consumer) */
    uint32_t published;    /* as many of them the other side knows of */
    uint32_t seen;         /* copy of the other side's index */
    uint32_t *own, *other; /* the shared words: mine, which I alone write, and the other side's */
};

/* Both ends of an empty ring over these slots, which hold buffers, and these two words. */
static inline void ring_connect(struct ring_end *producer, struct ring_end *consumer, struct ring_slot *slots,
                                uint32_t length, uint32_t *head, uint32_t *tail)
{
    *head = *tail = 0;
    *producer = (struct ring_end){.slots = slots, .mask = length - 1, .own = head, .other = tail};
    *consumer = (struct ring_end){.slots = slots, .mask = length - 1, .own = tail, .other = head};
}

/* Producer: the slot to fill next, or a null pointer if the ring is full. */
static inline struct ring_slot *ring_put(struct ring_end *producer)
{
    if (__builtin_expect(producer->next - producer->seen > producer->mask, 0)) {
        producer->seen = __atomic_load_n(producer->other, __ATOMIC_ACQUIRE);
        if (producer->next - producer->seen > producer->mask)
            return 0;
    }
    return &producer->slots[producer->next++ & producer->mask];
}

/* Consumer: how many slots wait; looks at the producer's word only when none is known of. */
static inline uint32_t ring_waiting(struct ring_end *consumer)
{
    if (consumer->next == consumer->seen)
        consumer->seen = __atomic_load_n(consumer->other, __ATOMIC_ACQUIRE);
    return consumer->seen - consumer->next;
}

/* Consumer: the next slot; only after ring_waiting() has said that there is one. */
static inline struct ring_slot *ring_take(struct ring_end *consumer)
{
    return &consumer->slots[consumer->next++ & consumer->mask];
}

/* Lets the other side see what was put or taken since the last time. */
static inline void ring_publish(struct ring_end *end)
{
    if (end->published == end->next)
        return;
    end->published = end->next;
    __atomic_store_n(end->own, end->next, __ATOMIC_RELEASE);
}

#endif
