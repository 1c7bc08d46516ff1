/* Address resolution (RFC 826) of a QGM's ports. */
#ifndef PIX_ARP_H
#define PIX_ARP_H

#include "qgm.h"

/* A received ARP frame: learns, answers, or drops. Takes the frame over. */
void arp_input(struct qgm *qgm, uint32_t port, struct frame frame);

/*
 * Lets a frame wait for a neighbour that is not usable yet and asks for its address, or drops it. in_port is where the
 * frame came from, for the ICMP message if nobody answers. Takes the frame over.
 */
void arp_wait(struct qgm *qgm, uint32_t in_port, uint32_t port, uint32_t neighbour, struct frame frame);

/* Repeats requests whose time has come and gives up those that were never answered. */
void arp_timer(struct qgm *qgm);

/* The neighbour's link-layer address is known: sends what waited, in order. state: NEIGHBOUR_REACHABLE or _STATIC. */
void arp_resolve(struct qgm *qgm, uint32_t port, uint32_t neighbour, const uint8_t *mac, enum neighbour_state state);

/* Drops everything that waits in the port's table and forgets its incomplete neighbours. */
void arp_give_up(struct qgm *qgm, enum drop_reason why);

#endif
