#include "port.h"

#include <rte_ethdev.h>

#include "arp.h"
#include "capture.h"
#include "clock.h"
#include "flow.h"

struct port ports[MAX_PORTS];
uint32_t port_count;
struct rte_mempool *tx_pool;
struct port_limits port_limits;

/* Devices of DPDK are called directly: most ports have one, and an indirect call would cost them. */
static uint32_t device_receive(struct port *port, uint16_t queue, struct rte_mbuf **frames)
{
	if (unlikely(port->backend != NULL))
		return port->backend->receive(port->backend, frames);
	return rte_eth_rx_burst(port->device, queue, frames, BURST);
}

static uint32_t device_send(struct port *port, uint16_t queue, struct rte_mbuf **frames, uint32_t count)
{
	if (unlikely(port->backend != NULL))
		return port->backend->send(port->backend, frames, (uint16_t)count);
	return rte_eth_tx_burst(port->device, queue, frames, (uint16_t)count);
}

uint32_t port_receive(struct port *port, uint16_t queue)
{
	struct rte_mbuf *frames[BURST];
	uint32_t count = device_receive(port, queue, frames);
	if (count == 0)
		return 0;
	uint64_t now = clock_ticks();
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (i + 3 < count)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 3], void *));
		bytes += frames[i]->pkt_len + RTE_ETHER_CRC_LEN;
		if (!flow_receive(port->index, frames[i], now)) {
			port->rx_unknown++;
			if (port->ipv4 != 0)
				arp_receive(port, frames[i]);
		}
	}
	if (unlikely(port->rx_captures != 0))
		for (uint32_t i = 0; i < count; i++)
			capture_frame(port->index, false, frames[i], now);
	port->rx_packets += count;
	port->rx_bytes += bytes;
	rte_pktmbuf_free_bulk(frames, count);
	return count;
}

static uint32_t send_captured(struct port *port, struct rte_mbuf **frames, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		rte_mbuf_refcnt_update(frames[i], 1); /* ours, to look at the frame after the device has taken it */
		uint64_t now = clock_ticks();
		uint16_t queue = port->queues.count == 1 ? 0 : queues_of(&port->queues, frames[i]);
		uint32_t taken = device_send(port, queue, &frames[i], 1);
		if (taken == 0) {
			rte_mbuf_refcnt_update(frames[i], -1);
			return i;
		}
		capture_frame(port->index, true, frames[i], now);
		rte_pktmbuf_free(frames[i]);
	}
	return count;
}

static uint32_t first_bits(uint32_t count) { return (uint32_t)((1ull << count) - 1); }

struct outcome port_offer(struct port *port, struct rte_mbuf **frames, uint32_t count)
{
	if (unlikely(port->tx_captures != 0))
		return (struct outcome){.taken = first_bits(send_captured(port, frames, count))};
	if (port->queues.count > 1)
		return queues_send(&port->queues, port->device, frames, count, clock_ticks());
	return (struct outcome){.taken = first_bits(device_send(port, 0, frames, count))};
}

uint32_t port_send(struct port *port, struct rte_mbuf **frames, uint32_t count)
{
	uint64_t bytes[BURST];
	for (uint32_t i = 0; i < count; i++)
		bytes[i] = frames[i]->pkt_len + RTE_ETHER_CRC_LEN;
	struct outcome outcome = port_offer(port, frames, count);
	uint32_t done = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t taken = outcome.taken >> i & 1, lost = outcome.lost >> i & 1;
		port->tx_packets += taken;
		port->tx_bytes += taken * bytes[i];
		port->tx_given_up += lost;
		done += taken + lost;
	}
	return done;
}
