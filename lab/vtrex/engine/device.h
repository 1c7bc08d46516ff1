/* The devices that ports can be made of, by the words that the server describes them with (lab/vtrex/devices.py):
 *
 *     wire                        two ports joined to each other, through a ring of DPDK each way
 *     ring                        a port that receives what it sends
 *     dpdk:QUEUES,DEVARGS         a device of DPDK, by its name on its bus and its arguments
 *     dgram:LOCAL,PEER            dgram.h
 *     stream:PATH,server|client   framed.h
 */
#ifndef VTREX_DEVICE_H
#define VTREX_DEVICE_H

#include <stdbool.h>
#include <rte_mempool.h>

#include "port.h"

/* Open what a description names as the next port or ports; false when that fails, and startup_failed() has said why. */
bool device_open(const char *description, struct rte_mempool *rx_pool);

/* Stop and close a port's device; no thread may use it any more. */
void device_close(const struct port *port);

/* Frames that wait in a receive queue; UINT32_MAX where the device cannot tell. For the thread that polls it. */
uint32_t device_waiting(const struct port *port, uint16_t queue);

/* The control thread may call these at any time. */
bool device_link_up(const struct port *port);
uint64_t device_missed(const struct port *port); /* frames that came and met no free buffer or descriptor */
void device_driver(const struct port *port, char name[DRIVER_NAME_SIZE]);

#endif
