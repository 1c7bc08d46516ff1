/* The forwarding engine: what happens to a batch of received frames (RFC 1812). */
#ifndef PIX_ENGINE_H
#define PIX_ENGINE_H

#include "qgm.h"

/* Routes frames that came in by a port, in their order; they leave, wait or are dropped. Takes them over. */
void engine_input(struct qgm *qgm, uint32_t in_port, const struct frame *frames, uint32_t count);

/* A frame that has come over a ring. */
struct crossed {
    struct frame frame;
    uint16_t hop; /* number of its next hop, or HOP_NUMBER_KEEPER */
    uint8_t in_port;
};

/* Sends frames out whose way another QGM has found, in their order. Takes them over. */
void engine_crossed(struct qgm *qgm, const struct crossed *crossed, uint32_t count);

/* Sends a packet (TTL decremented, no longer than the MTU) by the next hop of this number. Takes it over. */
void engine_send(struct qgm *qgm, uint32_t in_port, uint32_t hop, struct frame frame);

/*
 * Sends a packet of our own (IPv4 header complete) towards its destination, in fragments if it has to be. in_port is whose counters tell if it has no way.
 */
void engine_send_own(struct qgm *qgm, uint32_t in_port, struct frame frame);

#endif
