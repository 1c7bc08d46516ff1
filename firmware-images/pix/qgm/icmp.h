/* ICMP (RFC 792, RFC 1812 4.3): errors about dropped packets, and answers to echo requests. */
#ifndef PIX_ICMP_H
#define PIX_ICMP_H

#include "qgm.h"

enum {
    ICMP_NET_UNREACHABLE,
    ICMP_HOST_UNREACHABLE,
    ICMP_PROTOCOL_UNREACHABLE,
    ICMP_PORT_UNREACHABLE,
    ICMP_FRAGMENTATION_NEEDED,
};

/*
 * Tells the source of a packet what became of it, if RFC 1812 4.3.2.7 allows. The frame stays the caller's; it came in
 * by in_port, whose address the message bears.
 */
void icmp_unreachable(struct qgm *qgm, uint32_t in_port, struct frame frame, uint8_t code);
void icmp_fragmentation_needed(struct qgm *qgm, uint32_t in_port, struct frame frame, uint16_t mtu);
void icmp_time_exceeded(struct qgm *qgm, uint32_t in_port, struct frame frame);

/* A packet to one of our own addresses: answers an echo request, refuses the rest. Takes the frame over. */
void icmp_local_input(struct qgm *qgm, uint32_t in_port, struct frame frame);

#endif
