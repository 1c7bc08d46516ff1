#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "clock.h"
#include "dgram.h"
#include "framed.h"
#include "link.h"
#include "startup.h"

#define DESCRIPTORS 1024
#define RING_DEPTH 1024

static bool add_port(struct backend *backend, uint16_t device, uint16_t queues, uint32_t longest_frame)
{
	ports[port_count] = (struct port){
		.backend = backend, .device = device, .index = port_count, .queues.count = queues, .next_due = NEVER,
		.longest_frame = longest_frame,
	};
	port_count++;
	return true;
}

/* Configure and start a device of DPDK with at most so many queues each way. */
static bool add_ethernet(uint16_t device, uint16_t most_queues, struct rte_mempool *rx_pool)
{
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info info;
	uint16_t rx_room = DESCRIPTORS, tx_room = DESCRIPTORS;
	int failed = rte_eth_dev_info_get(device, &info);
	uint16_t queues = 0;
	if (failed == 0) {
		queues = RTE_MIN(info.max_rx_queues, info.max_tx_queues);
		queues = RTE_MIN(queues, most_queues);
	}
	if (failed == 0 && info.dev_flags != NULL)
		conf.intr_conf.lsc = (*info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0; /* link.c */
	if (failed == 0)
		failed = rte_eth_dev_configure(device, queues, queues, &conf);
	if (failed == 0)
		failed = rte_eth_dev_adjust_nb_rx_tx_desc(device, &rx_room, &tx_room);
	for (uint16_t queue = 0; queue < queues && failed == 0; queue++) {
		failed = rte_eth_rx_queue_setup(device, queue, rx_room, SOCKET_ID_ANY, NULL, rx_pool);
		if (failed == 0)
			failed = rte_eth_tx_queue_setup(device, queue, tx_room, SOCKET_ID_ANY, NULL);
	}
	if (failed == 0)
		failed = rte_eth_dev_start(device);
	if (failed != 0)
		return startup_failed("port %u cannot be started: %s", port_count, rte_strerror(-failed));
	(void)rte_eth_promiscuous_enable(device); /* test frames go to addresses of the streams; not every device filters */
	/* What is longer some drivers (net_af_packet) drop and count as sent. */
	return add_port(NULL, device, queues, RTE_MIN(info.max_rx_pktlen - RTE_ETHER_CRC_LEN, (uint32_t)MAX_FRAME));
}

static struct rte_ring *make_ring(const char *kind)
{
	char name[32];
	snprintf(name, sizeof(name), "%s%u", kind, port_count);
	return rte_ring_create(name, RING_DEPTH, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static bool add_ring(struct rte_ring *in, struct rte_ring *out, struct rte_mempool *rx_pool)
{
	char name[32];
	snprintf(name, sizeof(name), "ring%u", port_count);
	int device = in == NULL || out == NULL ? -1 : rte_eth_from_rings(name, &in, 1, &out, 1, 0);
	if (device < 0)
		return startup_failed("port %u cannot be made of a ring: %s", port_count, rte_strerror(rte_errno));
	return add_ethernet((uint16_t)device, 1, rx_pool);
}

static bool open_wire(struct rte_mempool *rx_pool)
{
	struct rte_ring *there = make_ring("there"), *back = make_ring("back");
	return add_ring(back, there, rx_pool) && add_ring(there, back, rx_pool);
}

static bool open_ring(struct rte_mempool *rx_pool)
{
	struct rte_ring *ring = make_ring("loop");
	return add_ring(ring, ring, rx_pool);
}

/* A device of the PCI bus is there since the EAL has started, others are made now. */
static bool open_dpdk(const char *words, struct rte_mempool *rx_pool)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	unsigned int queues;
	int at = 0;
	uint16_t device;
	if (sscanf(words, "%u,%n%63[^,]", &queues, &at, name) != 2 || queues == 0 || queues > MAX_QUEUES)
		return startup_failed("'dpdk:%s' is no device", words);
	if (rte_eth_dev_get_port_by_name(name, &device) != 0 &&
	    (rte_dev_probe(words + at) != 0 || rte_eth_dev_get_port_by_name(name, &device) != 0))
		return startup_failed("port %u: DPDK cannot make %s", port_count, words + at);
	return add_ethernet(device, (uint16_t)queues, rx_pool);
}

static bool add_backend(const char *words, struct backend *backend)
{
	if (backend == NULL)
		return startup_failed("port %u cannot be made of %s: %s", port_count, words, strerror(errno));
	backend->port = port_count;
	return add_port(backend, 0, 1, MAX_FRAME);
}

static bool open_dgram(const char *words, struct rte_mempool *rx_pool)
{
	char local[108], peer[108];
	if (sscanf(words, "%107[^,],%107[^,]", local, peer) != 2)
		return startup_failed("'dgram:%s' is no device", words);
	return add_backend(words, dgram_open(local, peer, rx_pool));
}

static bool open_stream(const char *words, struct rte_mempool *rx_pool)
{
	char path[108], side[8];
	if (sscanf(words, "%107[^,],%7s", path, side) != 2)
		return startup_failed("'stream:%s' is no device", words);
	return add_backend(words, framed_open(path, strcmp(side, "server") == 0, rx_pool));
}

bool device_open(const char *description, struct rte_mempool *rx_pool)
{
	bool wire = strcmp(description, "wire") == 0;
	if (port_count + wire >= MAX_PORTS)
		return startup_failed("there can be %u ports at most", MAX_PORTS);
	if (wire)
		return open_wire(rx_pool);
	if (strcmp(description, "ring") == 0)
		return open_ring(rx_pool);
	if (strncmp(description, "dpdk:", 5) == 0)
		return open_dpdk(description + 5, rx_pool);
	if (strncmp(description, "dgram:", 6) == 0)
		return open_dgram(description + 6, rx_pool);
	if (strncmp(description, "stream:", 7) == 0)
		return open_stream(description + 7, rx_pool);
	return startup_failed("'%s' is no device", description);
}

void device_close(const struct port *port)
{
	if (port->backend != NULL) {
		port->backend->close(port->backend);
		return;
	}
	rte_eth_dev_stop(port->device);
	rte_eth_dev_close(port->device);
}

uint32_t device_waiting(const struct port *port, uint16_t queue)
{
	int waiting = port->backend != NULL ? -ENOTSUP : rte_eth_rx_queue_count(port->device, queue);
	return waiting < 0 ? UINT32_MAX : (uint32_t)waiting;
}

bool device_link_up(const struct port *port)
{
	struct rte_eth_link link = {0};
	if (port->backend != NULL)
		return atomic_load(&port->backend->link_up);
	return rte_eth_link_get_nowait(port->device, &link) == 0 && link.link_status == RTE_ETH_LINK_UP &&
	       link_interface_up(port->index);
}

uint64_t device_missed(const struct port *port)
{
	struct rte_eth_stats stats = {0};
	if (port->backend != NULL)
		return atomic_load(&port->backend->missed);
	(void)rte_eth_stats_get(port->device, &stats);
	return stats.rx_nombuf + stats.imissed;
}

void device_driver(const struct port *port, char name[DRIVER_NAME_SIZE])
{
	struct rte_eth_dev_info info;
	if (port->backend != NULL)
		snprintf(name, DRIVER_NAME_SIZE, "%s", port->backend->driver);
	else if (rte_eth_dev_info_get(port->device, &info) == 0)
		snprintf(name, DRIVER_NAME_SIZE, "%s", info.driver_name);
}
