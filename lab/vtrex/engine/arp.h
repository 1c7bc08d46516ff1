/* Answers to ARP requests (RFC 826), so that a DUT can resolve the address that the client gave to a port. */
#ifndef VTREX_ARP_H
#define VTREX_ARP_H

#include "port.h"

/* Answer if the frame is a request for the port's address; anything else is left alone. */
void arp_receive(struct port *port, const struct rte_mbuf *frame);

#endif
