/* The buffers of a QGM, its ways out, and its drop counters. */
#ifndef PIX_BUFFERS_H
#define PIX_BUFFERS_H

#include "qgm.h"

/* A test of this code watches buffers change hands. */
#ifndef BUFFER_TAKEN
#define BUFFER_TAKEN(address) ((void)(address))
#define BUFFER_FREED(address) ((void)(address))
#endif

static inline void buffer_free(struct qgm *qgm, uint64_t address)
{
    BUFFER_FREED(address);
    qgm->pool[CORE_WORD(qgm->core, pool_head)++] = (uint32_t)address;
}

/* A free buffer's address. There always is one: see BUFFERS_BESIDE_QUEUES. */
static inline uint64_t buffer_take(struct qgm *qgm)
{
    uint64_t address = qgm->pool[--CORE_WORD(qgm->core, pool_head)];
    BUFFER_TAKEN(address);
    return address;
}

/* port: that the frame came in by; of another QGM, if it has crossed a ring. */
static inline void frame_drop(struct qgm *qgm, uint32_t port, struct frame frame, enum drop_reason why)
{
    DROP_WORD(qgm->core, port, why)++;
    buffer_free(qgm, (uint64_t)(frame.bytes - LINK_HEADER));
}

/* Puts the staged frames into the port's transmit queue in their order; what does not fit is dropped. */
void port_flush(struct qgm *qgm, uint32_t port);

/* Lets a frame leave by a port, of which this QGM has a queue pair, at the end of this turn, after those staged before. */
static inline void port_stage(struct qgm *qgm, uint32_t port, struct frame frame)
{
    struct staged *staged = &qgm->staged[port];
    if (staged->count == BATCH_MAX)
        port_flush(qgm, port);
    staged->frame[staged->count++] = frame;
}

/* Sends a frame through the ring to another QGM, which sees it at the end of this turn at the latest. Drops it if there is no room. */
static inline void frame_cross(struct qgm *qgm, uint32_t core, uint32_t in_port, uint32_t hop, struct frame frame)
{
    struct ring_slot *slot = ring_put(&qgm->to[core]);
    if (__builtin_expect(!slot, 0)) {
        frame_drop(qgm, in_port, frame, DROP_ring_full);
        return;
    }
    buffer_free(qgm, slot->buffer);
    slot->buffer = (uint64_t)(frame.bytes - LINK_HEADER);
    slot->size = (uint16_t)frame.size;
    slot->hop = (uint16_t)hop;
    slot->in_port = (uint8_t)in_port;
    CORE_WORD(qgm->core, ring_out)++;
}

#endif
