/*
 * Next hops, found by what they are. All routes by the same way (kind, port, gateway) share one number, so that a million
 * routes need as many next hops as there are gateways.
 *
 * Invariant: a number is given out again only when no reader can still have it from the FIB.
 */
#ifndef PIX_HOPS_H
#define PIX_HOPS_H

#include "qgm.h"

/* All numbers are free. */
void hops_init(void);

/* The number of a next hop like this one, new or shared, 1 to NEXT_HOPS - 1; 0 with `wrong` set if it cannot be had. */
uint16_t hop_take(struct next_hop hop, const char **wrong);

/* Gives a number back, after the FIB no longer leads to it by the route that took it. */
void hop_leave(uint16_t number);

#endif
