/* One ring between two cores as functions that Python can call: qgm/ring.h over the words of shared.h. */
#include <stdlib.h>

#include "ring.h"
#include "shared.h"

/* The words that a test uses; others of the matrix must not change. */
#define PRODUCER 3
#define CONSUMER 5

struct host_ring {
    struct ring_end producer, consumer;
    struct ring_slot *slots;
    uint32_t length;
};

struct host_ring *host_ring_new(uint32_t length, uint32_t start, uint64_t first_buffer);
void host_ring_free(struct host_ring *ring);
uint64_t host_ring_put(struct host_ring *ring, const struct ring_slot *message);
uint32_t host_ring_waiting(struct host_ring *ring);
void host_ring_take(struct host_ring *ring, uint64_t empty, struct ring_slot *message);
void host_ring_publish(struct host_ring *ring, uint32_t is_producer);
uint64_t host_ring_slot(const struct host_ring *ring, uint32_t slot);
uint64_t host_ring_other_words(void);

/* An empty ring whose slots hold the buffers first_buffer and on. Both indices begin at `start`, to meet their wrap. */
struct host_ring *host_ring_new(uint32_t length, uint32_t start, uint64_t first_buffer)
{
    struct host_ring *ring = calloc(1, sizeof(*ring));
    uint32_t *head = &RING_WORD(PRODUCER, CONSUMER, ring_head), *tail = &RING_WORD(PRODUCER, CONSUMER, ring_tail);
    ring->length = length;
    ring->slots = aligned_alloc(_Alignof(struct ring_slot), length * sizeof(*ring->slots));
    for (uint32_t i = 0; i < length; i++)
        ring->slots[i] = (struct ring_slot){.buffer = first_buffer + i};
    ring_connect(&ring->producer, &ring->consumer, ring->slots, length, head, tail);
    *head = *tail = start;
    ring->producer.next = ring->producer.published = ring->producer.seen = start;
    ring->consumer.next = ring->consumer.published = ring->consumer.seen = start;
    return ring;
}

void host_ring_free(struct host_ring *ring)
{
    free(ring->slots);
    free(ring);
}

/* The empty buffer that lay in the slot, or 0 if the ring is full. */
uint64_t host_ring_put(struct host_ring *ring, const struct ring_slot *message)
{
    struct ring_slot *slot = ring_put(&ring->producer);
    if (!slot)
        return 0;
    uint64_t empty = slot->buffer;
    *slot = *message;
    return empty;
}

uint32_t host_ring_waiting(struct host_ring *ring)
{
    return ring_waiting(&ring->consumer);
}

void host_ring_take(struct host_ring *ring, uint64_t empty, struct ring_slot *message)
{
    struct ring_slot *slot = ring_take(&ring->consumer);
    *message = *slot;
    slot->buffer = empty;
}

void host_ring_publish(struct host_ring *ring, uint32_t is_producer)
{
    ring_publish(is_producer ? &ring->producer : &ring->consumer);
}

uint64_t host_ring_slot(const struct host_ring *ring, uint32_t slot)
{
    return ring->slots[slot].buffer;
}

/* Sum of all words of the matrices but this ring's: stays 0. */
uint64_t host_ring_other_words(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < MAX_CORES; i++)
        for (uint32_t k = 0; k < MAX_CORES; k++)
            if (i != PRODUCER || k != CONSUMER)
                sum += RING_WORD(i, k, ring_head) + RING_WORD(i, k, ring_tail);
    return sum;
}
