/*
 * Address resolution of a QGM's ports: the messages (RFC 826, RFC 5227), in arp.c, and what becomes of a neighbour with
 * time (RFC 1122 2.3.2), in arp_state.c:
 *
 *   a frame for an unknown one     incomplete: asked by broadcast up to ARP_REQUESTS times, with doubled patience
 *   nobody answers                 failed: what waits is dropped, nobody asks for as long as the last patience was
 *   it is heard of                 reachable; from any state but static
 *   not heard of for arp_age_s     confirming: asked by unicast as often, and used meanwhile
 *   does not answer                free: the next frame asks by broadcast
 *
 * Time is looked at ARP_TIMER_HZ times a second, and at a few neighbours each time: nothing is done per packet.
 */
#ifndef PIX_ARP_H
#define PIX_ARP_H

#include "qgm.h"

#define ARP_REQUESTS 3
#define ARP_TIMER_HZ 100
#define ARP_ANNOUNCEMENTS 2 /* RFC 5227 1.1, ANNOUNCE_NUM */

/* A received ARP frame: learns, answers, or drops. Takes the frame over. */
void arp_input(struct qgm *qgm, uint32_t port, struct frame frame);

/* Asks who has an address; announces our own if that is asked for. mac: whom to ask, or a null pointer for everybody. */
void arp_request(struct qgm *qgm, uint32_t port, uint32_t address, const uint8_t *mac);

/* Whether an address can be that of a neighbour of this port. */
bool arp_is_on_link(const struct port *port, uint32_t address);

/*
 * Lets a frame wait for a neighbour that is not usable yet and asks for its address, or drops it. in_port is where the
 * frame came from, for the ICMP message if nobody answers. Takes the frame over.
 */
void arp_wait(struct qgm *qgm, uint32_t in_port, uint32_t port, uint32_t neighbour, struct frame frame);

/* The neighbour's link-layer address is known: sends what waited, in order. state: NEIGHBOUR_REACHABLE or _STATIC. */
void arp_resolve(struct qgm *qgm, uint32_t port, uint32_t neighbour, const uint8_t *mac, enum neighbour_state state);

/* The QGM begins to run: announces the addresses of its ports, and lets the timer come at once. */
void arp_start(struct qgm *qgm);

/* What is due: requests, announcements, neighbours that have not answered or are too old. */
void arp_timer(struct qgm *qgm);

/* Announces a port's address ARP_ANNOUNCEMENTS times, from the next timer on. */
void arp_announce(struct qgm *qgm, uint32_t port);

/* Somebody else has claimed a port's address: announces ours once, if it has not been disputed within the last ten seconds. */
void arp_defend(struct qgm *qgm, uint32_t port);

/* Drops everything that waits for a neighbour and forgets the incomplete ones. */
void arp_give_up(struct qgm *qgm, enum drop_reason why);

/* Forgets every dynamic neighbour of the ports that this QGM keeps; what waits for one is dropped. */
void arp_flush(struct qgm *qgm);

#endif
