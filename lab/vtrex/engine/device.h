/* The devices that ports can be made of. */
#ifndef VTREX_DEVICE_H
#define VTREX_DEVICE_H

#include <stdbool.h>
#include <rte_mempool.h>

/* Open every device that the EAL's --vdev options made, in the order of their names. */
bool device_open_all(struct rte_mempool *rx_pool);

/* Open two ports joined to each other: what one sends the other receives, through a ring of DPDK each way. */
bool device_open_wire(struct rte_mempool *rx_pool);

#endif
