#include "virtqueue.h"

#include "string.h"

void virtqueue_init(struct virtqueue *queue, uint16_t size, uint16_t index, uint16_t desc_flags)
{
    struct virtqueue_memory *memory = queue->memory;
    memset(memory, 0, sizeof(*memory));
    memory->avail.flags = VIRTQ_AVAIL_F_NO_INTERRUPT;
    for (uint16_t i = 0; i < size; i++) {
        memory->avail.ring[i] = i;
        memory->desc[i].flags = desc_flags;
    }
    queue->index = index;
    queue->size = size;
    queue->mask = (uint16_t)(size - 1);
    queue->notified = 0;
}
