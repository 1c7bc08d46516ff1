#include "port.h"

#include <rte_ethdev.h>

#include "arp.h"
#include "capture.h"
#include "clock.h"
#include "flow.h"
#include "pacing.h"
#include "trial.h"

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

/* Returns how many frames were taken; `lost` receives how many were freed. The others are the last of `frames`. */
static uint32_t send_burst(struct port *port, struct rte_mbuf **frames, uint32_t count, uint32_t *lost)
{
	*lost = 0;
	if (unlikely(port->tx_captures != 0))
		return send_captured(port, frames, count);
	if (port->queues.count > 1)
		return queues_send(&port->queues, port->device, frames, count, clock_ticks(), lost);
	return device_send(port, 0, frames, count);
}

uint32_t port_send(struct port *port, struct rte_mbuf **frames, uint32_t count)
{
	uint64_t bytes[BURST + 1] = {0};
	for (uint32_t i = 0; i < count; i++)
		bytes[i + 1] = bytes[i] + frames[i]->pkt_len + RTE_ETHER_CRC_LEN;
	uint32_t lost, taken = send_burst(port, frames, count, &lost);
	port->tx_packets += taken;
	port->tx_bytes += bytes[taken];
	port->tx_given_up += lost;
	return taken + lost;
}

static void give_up(struct port *port, struct stream *stream, uint64_t now, uint64_t bound, uint64_t *counter)
{
	uint64_t overdue = stream_due(stream, now - bound);
	if (overdue > stream->settled) {
		*counter += overdue - stream->settled;
		port->tx_given_up += overdue - stream->settled;
		stream->settled = overdue;
	}
}

static void account_lost(struct port *port, struct stream *stream, uint32_t count)
{
	stream->queue_full += count;
	stream->settled += count;
	port->tx_given_up += count;
	if (stream->kind == FLOW_LATENCY)
		latency_flows[stream->hw_id].lost += count;
}

static void account_sent(struct port *port, struct stream *stream, uint32_t count)
{
	uint64_t bytes = (uint64_t)count * (stream->length + RTE_ETHER_CRC_LEN);
	stream->sent += count;
	stream->settled += count;
	port->tx_packets += count;
	port->tx_bytes += bytes;
	if (stream->flow != NO_FLOW) {
		flow_counters[port->index][stream->flow].tx_packets += count;
		flow_counters[port->index][stream->flow].tx_bytes += bytes;
	}
}

/* A device that stays full loses what is overdue; but not what is overdue because the engine itself was away. */
static void refused(struct port *port, struct stream *stream, uint64_t now)
{
	if (port->full_since == 0)
		port->full_since = now;
	uint64_t away = port->watch->gap_total - port->gaps_made_up;
	uint64_t bound = port_limits.full_wait + RTE_MIN(away, port_limits.late);
	if (now - port->full_since <= bound)
		return;
	give_up(port, stream, now, bound, &stream->queue_full);
	port->gaps_made_up = port->watch->gap_total;
}

static void stream_transmit(struct port *port, struct stream *stream, uint64_t now)
{
	uint64_t first = stream_due_tick(stream, stream->settled);
	uint64_t lateness = now > first ? now - first : 0;
	if (unlikely(lateness > port_limits.late)) {
		/* Who made it late: where the device refused frames shortly before the last offer (the engine may have been
		 * away since), the device is slower than the schedule, and not the engine. */
		bool device = port->refused_at != 0 && port->offered_at - port->refused_at < port_limits.full_wait;
		give_up(port, stream, now, port_limits.late, device ? &stream->queue_full : &stream->late);
		lateness = port_limits.late;
	}
	uint64_t due = stream_due(stream, now);
	uint32_t count = due > stream->settled ? stream_build(stream, tx_pool, due - stream->settled) : 0;
	if (count == 0)
		return;
	if (count > due - stream->settled)
		count = (uint32_t)(due - stream->settled);
	if (stream->kind == FLOW_LATENCY)
		stream_stamp(stream, clock_ticks());
	uint32_t lost, taken = send_burst(port, stream->pending + stream->first_pending, count, &lost);
	port->offered_at = now;
	stream->first_pending += taken + lost;
	stream->pending_count -= taken + lost;
	account_sent(port, stream, taken);
	account_lost(port, stream, lost);
	pacing_left(&pacings[port->index], stream, lateness, taken);
	if (likely(taken + lost == count)) {
		port->full_since = 0;
		if (stream->settled == due)
			port->gaps_made_up = port->watch->gap_total;
		return;
	}
	port->tx_refused++;
	port->refused_at = now;
	refused(port, stream, now);
}

bool port_transmit(struct port *port, uint64_t now)
{
	if (now < port->next_due)
		return false;
	uint64_t next = NEVER;
	for (uint32_t i = 0; i < port->active_count;) {
		struct stream *stream = port->active[i];
		if (stream->next_due <= now) {
			stream_transmit(port, stream, now);
			if (stream->settled >= stream->limit) {
				/* Order matters: latency streams come first, so that they do not wait behind a burst. */
				port->active_count--;
				for (uint32_t k = i; k < port->active_count; k++)
					port->active[k] = port->active[k + 1];
				continue;
			}
			stream_schedule_next(stream);
		}
		if (stream->next_due < next)
			next = stream->next_due;
		i++;
	}
	port->next_due = next;
	return port->active_count == 0;
}

void port_stop(struct port *port, uint64_t now)
{
	for (uint32_t i = 0; i < port->active_count; i++) {
		uint64_t due = stream_due(port->active[i], now);
		port->active[i]->limit = due > port->active[i]->settled ? due : port->active[i]->settled;
		port->active[i]->next_due = now;
	}
	if (port->active_count != 0)
		port->next_due = now;
}
