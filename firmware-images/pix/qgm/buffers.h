/* The buffers of a QGM, its transmit staging, and its drop counters. */
#ifndef PIX_BUFFERS_H
#define PIX_BUFFERS_H

#include "qgm.h"

static inline void buffer_free(struct qgm *qgm, uint64_t address)
{
    qgm->pool[CORE_WORD(qgm->core, pool_head)++] = (uint32_t)address;
}

/* A free buffer's address. There always is one: see BUFFERS. */
static inline uint64_t buffer_take(struct qgm *qgm)
{
    return qgm->pool[--CORE_WORD(qgm->core, pool_head)];
}

static inline void frame_drop(struct qgm *qgm, uint32_t port, struct frame frame, enum drop_reason why)
{
    PORT_DROP(port, why)++;
    buffer_free(qgm, (uint64_t)(frame.bytes - LINK_HEADER));
}

/* Puts the staged frames into the port's transmit queue in their order; what does not fit is dropped. */
void port_flush(struct qgm *qgm, uint32_t port);

/* Lets a frame leave by a port at the end of this turn, after those staged before. */
static inline void port_stage(struct qgm *qgm, uint32_t port, struct frame frame)
{
    struct staged *staged = &qgm->staged[port];
    if (staged->count == BATCH)
        port_flush(qgm, port);
    staged->frame[staged->count++] = frame;
}

#endif
