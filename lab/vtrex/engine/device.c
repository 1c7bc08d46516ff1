#include "device.h"

#include <stdio.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "port.h"

#define WIRE_DEPTH 1024

bool device_open_all(struct rte_mempool *rx_pool)
{
	uint16_t device;
	RTE_ETH_FOREACH_DEV(device)
		if (port_count < MAX_PORTS && !port_open(device, rx_pool))
			return false;
	return true;
}

bool device_open_wire(struct rte_mempool *rx_pool)
{
	struct rte_ring *there = rte_ring_create("wire_0_to_1", WIRE_DEPTH, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	struct rte_ring *back = rte_ring_create("wire_1_to_0", WIRE_DEPTH, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (there == NULL || back == NULL) {
		fprintf(stderr, "vtrex-engine: no memory for the wire's rings\n");
		return false;
	}
	int first = rte_eth_from_rings("wire0", &back, 1, &there, 1, 0);
	int second = rte_eth_from_rings("wire1", &there, 1, &back, 1, 0);
	if (first < 0 || second < 0) {
		fprintf(stderr, "vtrex-engine: the wire's ports cannot be made: %s\n", rte_strerror(rte_errno));
		return false;
	}
	return port_open((uint16_t)first, rx_pool) && port_open((uint16_t)second, rx_pool);
}
