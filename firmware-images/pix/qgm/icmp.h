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
    ICMP_SOURCE_ROUTE_FAILED,
};

/*
 * Tells the source of a packet what became of it, if RFC 1812 4.3.2.7 and the rate limit (4.3.2.8) allow. The frame stays
 * the caller's; it came in by in_port. The message bears the address of the port that it leaves by (4.3.2.4).
 */
void icmp_unreachable(struct qgm *qgm, uint32_t in_port, struct frame frame, uint8_t code);
void icmp_fragmentation_needed(struct qgm *qgm, uint32_t in_port, struct frame frame, uint16_t mtu);
void icmp_parameter_problem(struct qgm *qgm, uint32_t in_port, struct frame frame, uint8_t at);
void icmp_time_exceeded(struct qgm *qgm, uint32_t in_port, struct frame frame);

/* A packet to one of our own addresses: answers an echo request (at any rate), refuses the rest. Takes the frame over. */
void icmp_local_input(struct qgm *qgm, uint32_t in_port, struct frame frame);

#endif
