/* Fragmentation of IPv4 packets (RFC 791 2.3 and 3.2, RFC 1812 4.2.2.7 and 5.2.6). */
#ifndef PIX_FRAGMENT_H
#define PIX_FRAGMENT_H

#include "qgm.h"

/*
 * Sends a packet that may be fragmented (options checked, TTL decremented) in pieces of at most mtu bytes by the next hop
 * of this number, in their order, the first one first. Takes the frame over: each piece is originated, the packet consumed.
 */
void fragment_send(struct qgm *qgm, uint32_t in_port, uint32_t hop, uint32_t mtu, struct frame frame);

#endif
