#include "queues.h"

#include <netinet/in.h>
#include <string.h>
#include <rte_ethdev.h>

#include "ip.h"
#include "port.h"

static uint32_t folded_address(const uint8_t *address)
{
	uint64_t half[2];
	memcpy(half, address, sizeof(half));
	return (uint32_t)((half[0] * MIX_B ^ half[1]) * MIX_A >> 32);
}

uint16_t queues_of(const struct queues *queues, const struct rte_mbuf *frame)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	struct ip_place ip = ip_find(bytes, frame->data_len);
	const uint8_t *header = bytes + ip.offset;
	uint32_t source, destination, ports = 0, transport = ip.offset;
	uint8_t protocol;
	if (ip.version == 4) {
		memcpy(&source, header + 12, sizeof(source));
		memcpy(&destination, header + 16, sizeof(destination));
		protocol = header[9];
		transport += 4 * (header[0] & 15u);
	} else if (ip.version == 6) {
		source = folded_address(header + 8);
		destination = folded_address(header + 24);
		protocol = header[6];
		transport += IPV6_BYTES;
	} else {
		return 0;
	}
	if ((protocol == IPPROTO_UDP || protocol == IPPROTO_TCP) && transport + 4 <= frame->data_len)
		memcpy(&ports, bytes + transport, sizeof(ports));
	uint64_t mixed = (((uint64_t)source << 32 | destination) ^ (uint64_t)ports * MIX_C) * MIX_A;
	return (uint16_t)((uint64_t)(uint32_t)(mixed >> 32) * queues->count >> 32);
}

/* Offer a queue its frames; returns how many it has taken, `lost` receives how many are freed as the queue is full. */
static uint32_t offer(struct queues *queues, uint16_t device, uint16_t queue, struct rte_mbuf **frames, uint32_t count,
		      uint64_t now, uint32_t *lost)
{
	uint32_t taken = rte_eth_tx_burst(device, queue, frames, (uint16_t)count);
	*lost = 0;
	if (taken == count) {
		if (now - queues->refused_at[queue] > port_limits.full_wait)
			queues->full_since[queue] = 0;
		return count;
	}
	queues->refused_at[queue] = now;
	if (queues->full_since[queue] == 0)
		queues->full_since[queue] = now;
	if (now - queues->full_since[queue] <= port_limits.full_wait)
		return taken;
	*lost = count - taken;
	rte_pktmbuf_free_bulk(frames + taken, *lost);
	return taken;
}

struct outcome queues_send(struct queues *queues, uint16_t device, struct rte_mbuf **frames, uint32_t count,
			   uint64_t now)
{
	struct rte_mbuf *sorted[MAX_QUEUES][BURST];
	uint32_t sizes[MAX_QUEUES] = {0}, taken[MAX_QUEUES], lost[MAX_QUEUES], kept = 0;
	struct outcome outcome = {0, 0};
	uint16_t queue_of[BURST];
	for (uint32_t i = 0; i < count; i++) {
		queue_of[i] = queues_of(queues, frames[i]);
		sorted[queue_of[i]][sizes[queue_of[i]]++] = frames[i];
	}
	for (uint16_t queue = 0; queue < queues->count; queue++)
		if (sizes[queue] != 0)
			taken[queue] = offer(queues, device, queue, sorted[queue], sizes[queue], now, &lost[queue]);
	for (uint32_t i = count; i-- > 0;) { /* from the last on: a queue's first frames are taken, the next ones lost */
		uint16_t queue = queue_of[i];
		uint32_t position = --sizes[queue];
		if (position < taken[queue])
			outcome.taken |= 1u << i;
		else if (position < taken[queue] + lost[queue])
			outcome.lost |= 1u << i;
		else
			frames[count - ++kept] = sorted[queue][position];
	}
	return outcome;
}
