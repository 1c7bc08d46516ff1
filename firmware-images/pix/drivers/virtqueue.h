/*
 * Split virtqueues (virtio 1.2, 2.7) as a polling owner uses them.
 *
 * The available ring is also the list of free descriptors. With `posted` and `taken` counting what was given to the
 * device and what was taken back, slots [taken, posted) are the device's and slots [posted, taken + size) hold the
 * numbers of the free descriptors. A slot may be rewritten at `taken`, because the device has read at least as many
 * available slots as it has returned. A device that returns descriptors in order therefore never makes us write the
 * available ring again: its line stays shared.
 *
 * Notification without a fence: after posting, the device's wish (NO_NOTIFY in the used ring's flags) may be read too
 * early. The owner polls anyway, so virtqueue_kick() is called in every turn and looks again until it has either
 * notified or found everything returned.
 */
#ifndef PIX_VIRTQUEUE_H
#define PIX_VIRTQUEUE_H

#include <stdint.h>
#include "capacity.h"

#define VIRTQ_DESC_F_NEXT 1
#define VIRTQ_DESC_F_WRITE 2
#define VIRTQ_USED_F_NO_NOTIFY 1
#define VIRTQ_AVAIL_F_NO_INTERRUPT 1

struct virtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

struct virtq_avail {
    uint16_t flags, idx, ring[QUEUE_LENGTH_MAX];
    uint16_t used_event;
};

struct virtq_used_elem {
    uint32_t id, len;
};

struct virtq_used {
    uint16_t flags, idx;
    struct virtq_used_elem ring[QUEUE_LENGTH_MAX];
    uint16_t avail_event;
};

/* The memory of one queue, each part alone on its lines. */
struct virtqueue_memory {
    struct virtq_desc desc[QUEUE_LENGTH_MAX];
    struct virtq_avail avail __attribute__((aligned(128)));
    struct virtq_used used __attribute__((aligned(128)));
} __attribute__((aligned(4096)));

struct virtqueue {
    struct virtqueue_memory *memory;
    volatile uint16_t *notify; /* device register */
    uint16_t index;
    uint16_t size; /* a power of two */
    uint16_t mask;
    uint16_t notified; /* `posted` when the device was last notified */
};

/* How many descriptors the device has returned that were not taken yet. */
static inline uint16_t virtqueue_returned(const struct virtqueue *queue, uint16_t taken)
{
    return (uint16_t)(__atomic_load_n(&queue->memory->used.idx, __ATOMIC_ACQUIRE) - taken);
}

/* Takes one returned descriptor back; size is what the device wrote. The caller counts `taken` up. */
static inline struct virtq_desc *virtqueue_take(struct virtqueue *queue, uint16_t taken, uint32_t *size)
{
    const struct virtq_used_elem *element = &queue->memory->used.ring[taken & queue->mask];
    uint16_t id = (uint16_t)(element->id & queue->mask);
    uint16_t *slot = &queue->memory->avail.ring[taken & queue->mask];
    if (*slot != id)
        *slot = id;
    *size = element->len;
    return &queue->memory->desc[id];
}

/* The free descriptor to fill next. The caller counts `posted` up and then publishes. */
static inline struct virtq_desc *virtqueue_next_free(struct virtqueue *queue, uint16_t posted)
{
    return &queue->memory->desc[queue->memory->avail.ring[posted & queue->mask]];
}

static inline void virtqueue_publish(struct virtqueue *queue, uint16_t posted)
{
    __atomic_store_n(&queue->memory->avail.idx, posted, __ATOMIC_RELEASE);
}

/* Notifies the device if it wants to be told of what was posted. A polling device never does. */
static inline void virtqueue_kick(struct virtqueue *queue, uint16_t posted)
{
    if (__builtin_expect(queue->notified == posted, 1))
        return;
    if (__atomic_load_n(&queue->memory->used.flags, __ATOMIC_ACQUIRE) & VIRTQ_USED_F_NO_NOTIFY)
        return;
    queue->notified = posted;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *queue->notify = queue->index;
}

/* Empties the queue: every descriptor free, no interrupts. */
void virtqueue_init(struct virtqueue *queue, uint16_t size, uint16_t index, uint16_t desc_flags);

#endif
