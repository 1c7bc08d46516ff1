#include "direction.h"

#include <string.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "capacity.h"

#define BURST 64
#define FLUSH_S 0.5 /* without a frame, until those that were to go behind others go as they are */
#define IPV4 14
#define TTL (IPV4 + 8)
#define CHECKSUM (IPV4 + 10)

struct direction *directions[MAX_PORTS];
uint32_t direction_count;
double dead_until;

static void note(struct numbers *list, uint64_t number)
{
	if (list->count < NUMBERS_MOST)
		list->numbers[list->count++] = number;
}

static void lose(struct direction *direction, struct rte_mbuf *frame, uint64_t number, uint64_t *reason)
{
	*reason += 1;
	note(&direction->truth.lost_numbers, number);
	rte_pktmbuf_free(frame);
}

/* As a router does, or with no hops a forwarder in layer 2: new addresses, and the TTL and its checksum (RFC 1624). */
static void rewrite(const struct direction *direction, struct rte_mbuf *frame)
{
	unsigned char *bytes = rte_pktmbuf_mtod(frame, unsigned char *);
	memcpy(bytes, direction->addresses, ETHER_ADDRESSES);
	if (behaviour.hops < 1 || frame->data_len < IPV4 + 20 || bytes[12] != 0x08 || bytes[13] != 0x00)
		return;
	bytes[TTL]--;
	uint32_t sum = (uint32_t)(bytes[CHECKSUM] << 8 | bytes[CHECKSUM + 1]) + 0x100;
	sum = (sum & 0xffff) + (sum >> 16);
	bytes[CHECKSUM] = (unsigned char)(sum >> 8);
	bytes[CHECKSUM + 1] = (unsigned char)sum;
}

static void release_moved(struct direction *direction, double departure)
{
	while (direction->moved_count > 0) {
		struct moved *first = &direction->moved[direction->moved_first % HOLD_MOST];
		if (first->due > direction->passed)
			return;
		hold_put(&direction->hold, first->frame, departure);
		direction->truth.moved++;
		note(&direction->truth.moved_numbers, first->number);
		direction->moved_first++;
		direction->moved_count--;
	}
}

/* Let a frame wait until others have passed it. */
static void move(struct direction *direction, struct rte_mbuf *frame, uint64_t number, double departure)
{
	if (behaviour.move_places >= 1) {
		uint32_t last = direction->moved_first + direction->moved_count++;
		uint64_t due = direction->passed + (uint64_t)behaviour.move_places;
		direction->moved[last % HOLD_MOST] = (struct moved){frame, number, due};
		return;
	}
	hold_put(&direction->hold, frame, departure + behaviour.move_ns * 1e-9 * (double)rte_get_tsc_hz());
	direction->truth.moved++;
	note(&direction->truth.moved_numbers, number);
}

static void pass(struct direction *direction, struct rte_mbuf *frame, struct rte_mbuf *copy, double departure)
{
	if (behaviour.keeps_order >= 1 && departure < direction->last_departure)
		departure = direction->last_departure;
	direction->last_departure = departure;
	hold_put(&direction->hold, frame, departure);
	if (copy != NULL)
		hold_put(&direction->hold, copy, departure);
	direction->passed++;
	release_moved(direction, departure);
}

void direction_take(struct direction *direction, struct rte_mbuf *frame, double at, double now)
{
	struct truth *truth = &direction->truth;
	uint64_t number = truth->received++;
	truth->received_bytes += frame->pkt_len;
	direction->last_arrival = now;
	if (at < dead_until) {
		lose(direction, frame, number, &truth->lost_dead);
		return;
	}
	if (picks_has(&behaviour.lose, &direction->lose, CHANCE_LOSE, direction->in, number)) {
		lose(direction, frame, number, &truth->lost_asked);
		return;
	}
	double served;
	if (!capacity_admit(at, &served)) {
		lose(direction, frame, number, &truth->lost_capacity);
		return;
	}
	rewrite(direction, frame);
	/* Where the frame was seen late, its delay still counts from here: it is never shorter than was asked for. */
	double wait_ns = behaviour.delay_ns;
	if (behaviour.jitter_ns > 0)
		wait_ns += behaviour.jitter_ns * chance((uint64_t)behaviour.seed, CHANCE_JITTER, direction->in, number);
	double departure = (served > now ? served : now) + wait_ns * 1e-9 * (double)rte_get_tsc_hz();
	if (picks_has(&behaviour.move, &direction->move, CHANCE_MOVE, direction->in, number)) {
		move(direction, frame, number, departure);
		return;
	}
	struct rte_mbuf *copy = NULL;
	if (picks_has(&behaviour.duplicate, &direction->duplicate, CHANCE_DUPLICATE, direction->in, number))
		copy = rte_pktmbuf_copy(frame, frame->pool, 0, UINT32_MAX);
	if (copy != NULL) {
		truth->duplicated++;
		note(&truth->duplicated_numbers, number);
	}
	pass(direction, frame, copy, departure);
}

static void flush_moved(struct direction *direction, double now)
{
	if (direction->moved_count == 0 || now - direction->last_arrival < FLUSH_S * (double)rte_get_tsc_hz())
		return;
	for (; direction->moved_count > 0; direction->moved_count--) {
		hold_put(&direction->hold, direction->moved[direction->moved_first++ % HOLD_MOST].frame, now);
		direction->truth.flushed++;
	}
}

/* Offer the device the frames that are ready; what it has no room for stays. */
static void transmit(struct direction *direction)
{
	while (direction->ready_count > 0) {
		struct rte_mbuf *frames[BURST];
		uint32_t lengths[BURST], count = 0;
		for (; count < BURST && count < direction->ready_count; count++) {
			frames[count] = direction->ready[(direction->ready_first + count) % HOLD_MOST];
			lengths[count] = frames[count]->pkt_len;
		}
		uint16_t sent = rte_eth_tx_burst(direction->out, 0, frames, (uint16_t)count);
		for (uint32_t i = 0; i < sent; i++)
			direction->truth.sent_bytes += lengths[i];
		direction->truth.sent += sent;
		direction->ready_first += sent;
		direction->ready_count -= sent;
		if (sent < count)
			return;
	}
}

void direction_send(struct direction *direction, double now)
{
	flush_moved(direction, now);
	for (struct rte_mbuf *frame; (frame = hold_take(&direction->hold, now)) != NULL;)
		direction->ready[(direction->ready_first + direction->ready_count++) % HOLD_MOST] = frame;
	transmit(direction);
}

uint32_t direction_held(const struct direction *direction)
{
	return direction->hold.count + direction->moved_count + direction->ready_count;
}

void direction_begin(struct direction *direction)
{
	for (uint32_t i = 0; i < direction->hold.count; i++)
		rte_pktmbuf_free(direction->hold.entries[i].frame);
	for (; direction->moved_count > 0; direction->moved_count--)
		rte_pktmbuf_free(direction->moved[direction->moved_first++ % HOLD_MOST].frame);
	for (; direction->ready_count > 0; direction->ready_count--)
		rte_pktmbuf_free(direction->ready[direction->ready_first++ % HOLD_MOST]);
	direction->hold.count = 0;
	memset(&direction->truth, 0, sizeof(direction->truth));
	memset(&direction->lose, 0, sizeof(direction->lose));
	memset(&direction->duplicate, 0, sizeof(direction->duplicate));
	memset(&direction->move, 0, sizeof(direction->move));
	direction->passed = 0;
	direction->last_departure = direction->last_arrival = 0;
}
