#include "flow.h"

#include <stdlib.h>
#include <string.h>
#include <rte_ether.h>
#include <rte_spinlock.h>

#include "buffers.h"
#include "clock.h"
#include "ip.h"
#include "verify.h"
#include "worker.h"

_Alignas(RTE_CACHE_LINE_SIZE) struct flow_counters flow_counters[MAX_PORTS][ALL_FLOWS];
bool flow_active[ALL_FLOWS];
struct latency_flow latency_flows[LATENCY_FLOWS];
uint64_t arrivals_total;

static rte_spinlock_t locks[ALL_FLOWS];
static struct arrival *arrivals;
static uint64_t arrivals_used;

bool flow_setup(uint64_t entries)
{
	arrivals = malloc(entries * sizeof(*arrivals));
	if (arrivals == NULL)
		return false;
	memset(arrivals, 0xff, entries * sizeof(*arrivals)); /* touched now, so that no trial meets a page fault */
	arrivals_total = entries;
	return true;
}

static void *touched(size_t size)
{
	void *memory = malloc(size);
	return memory == NULL ? NULL : memset(memory, 0, size);
}

bool flow_prepare(uint32_t index)
{
	if (index < STATS_FLOWS)
		return true;
	struct latency_flow *latency = &latency_flows[index - STATS_FLOWS];
	if (latency->histogram == NULL)
		latency->histogram = touched(HISTOGRAM_BUCKETS * sizeof(*latency->histogram));
	if (latency->sequence == NULL)
		latency->sequence = touched(sizeof(*latency->sequence));
	if (latency->variation == NULL)
		latency->variation = touched(sizeof(*latency->variation));
	return latency->histogram != NULL && latency->sequence != NULL && latency->variation != NULL;
}

void flow_set(uint32_t index, bool active)
{
	for (uint32_t port = 0; port < MAX_PORTS; port++)
		flow_counters[port][index] = (struct flow_counters){0};
	if (active)
		verifier_retire(index);
	if (active && index >= STATS_FLOWS) {
		struct latency_flow *latency = &latency_flows[index - STATS_FLOWS];
		memset(latency->histogram, 0, HISTOGRAM_BUCKETS * sizeof(*latency->histogram));
		sequence_begin(latency->sequence);
		variation_begin(latency->variation);
		*latency = (struct latency_flow){
			.sequence = latency->sequence, .variation = latency->variation, .histogram = latency->histogram,
		};
	}
	flow_active[index] = active;
}

void flow_arrivals_reset(void)
{
	arrivals_used = 0;
	for (int i = 0; i < LATENCY_FLOWS; i++)
		latency_flows[i].arrivals_capacity = 0;
}

uint64_t flow_sent(uint32_t flow)
{
	uint64_t sent = 0;
	for (int i = 0; i < MAX_PORTS; i++)
		sent += flow_counters[i][flow].tx_packets;
	return sent;
}

void flow_latency_begin(uint32_t hw_id, uint8_t generation, uint64_t frames)
{
	struct latency_flow *latency = &latency_flows[hw_id];
	memset(latency->histogram, 0, HISTOGRAM_BUCKETS * sizeof(*latency->histogram));
	latency->generation = generation;
	latency->expected = FIRST_SEQUENCE;
	latency->count = latency->minimum = latency->maximum = latency->over_range = latency->negative = 0;
	latency->sum = latency->jitter = latency->previous = 0;
	latency->window_end = latency->window_maximum = latency->last_maximum = 0;
	latency->sent_before = flow_sent(STATS_FLOWS + hw_id);
	latency->lost = latency->numbered = 0;
	sequence_begin(latency->sequence);
	variation_begin(latency->variation);
	/* An eighth more than is sent, for duplicates; a stream without an end gets a quarter of all. */
	uint64_t wanted = frames == 0 ? arrivals_total / 4 : frames + frames / 8 + 1024;
	uint64_t left = arrivals_total - arrivals_used;
	latency->arrivals = arrivals + arrivals_used;
	latency->arrivals_capacity = wanted < left ? wanted : left;
	latency->arrivals_recorded = 0;
	arrivals_used += latency->arrivals_capacity;
	latency->started = true;
}

/* TRex's accounting: only the last sequence number is kept (sequence.h tells the rest). */
static void account_order(struct latency_flow *latency, uint32_t sequence)
{
	int32_t ahead = (int32_t)(sequence - latency->expected);
	if (ahead >= 0) {
		latency->sequence_high += ahead > 0;
		latency->dropped += (uint32_t)ahead;
		latency->expected = sequence + 1;
		return;
	}
	latency->sequence_low++;
	if (ahead == -1) {
		latency->duplicate++;
	} else {
		latency->out_of_order++;
		latency->dropped -= latency->dropped > 0;
	}
}

static void account_delay(struct latency_flow *latency, uint64_t ns, uint64_t now)
{
	if (latency->count == 0 || ns < latency->minimum)
		latency->minimum = ns;
	if (ns > latency->maximum)
		latency->maximum = ns;
	if (latency->count > 0) {
		double change = (double)ns - latency->previous;
		latency->jitter += ((change < 0 ? -change : change) - latency->jitter) / 16; /* RFC 3550, section 6.4.1 */
	}
	latency->previous = (double)ns;
	latency->sum += (double)ns;
	if (ns > HISTOGRAM_MAX_NS)
		latency->over_range++;
	latency->histogram[histogram_index(ns > HISTOGRAM_MAX_NS ? HISTOGRAM_MAX_NS : ns)]++;
	latency->count++;
	if (now >= latency->window_end) {
		latency->last_maximum = latency->window_maximum;
		latency->window_maximum = 0;
		latency->window_end = now + ns_to_ticks(500e6);
	}
	if (ns > latency->window_maximum)
		latency->window_maximum = ns;
}

static void count_received(uint32_t port, uint32_t flow, const struct rte_mbuf *frame)
{
	flow_counters[port][flow].rx_packets++;
	flow_counters[port][flow].rx_bytes += frame->pkt_len + RTE_ETHER_CRC_LEN;
}

static void lock(uint32_t flow)
{
	if (unlikely(worker_count > 1))
		rte_spinlock_lock(&locks[flow]);
}

static void unlock(uint32_t flow)
{
	if (unlikely(worker_count > 1))
		rte_spinlock_unlock(&locks[flow]);
}

static enum sequence_place note_number(struct latency_flow *latency, uint32_t sequence)
{
	/* Written where the stream is sent, before the frame could leave. */
	uint64_t given = __atomic_load_n(&latency->numbered, __ATOMIC_ACQUIRE);
	return sequence_note(latency->sequence, sequence - FIRST_SEQUENCE, given);
}

static bool account_latency(uint32_t port, const struct rte_mbuf *frame, const struct latency_header *header,
			    uint64_t now)
{
	struct latency_flow *latency = &latency_flows[header->hw_id];
	struct verifier *verifier = verifiers[STATS_FLOWS + header->hw_id];
	int64_t ticks = verifier != NULL ? stamp_distance(header->ticks, now) : (int64_t)(now - header->ticks);
	if (verifier != NULL) {
		enum verdict verdict = verify_latency(verifier, port, frame);
		if (verdict == VERDICT_DUPLICATE)
			(void)note_number(latency, header->sequence);
		if (verdict != VERDICT_GOOD)
			return verdict != VERDICT_FOREIGN;
	} else if (header->generation != latency->generation) {
		latency->old_generation++;
		return false;
	}
	count_received(port, STATS_FLOWS + header->hw_id, frame);
	account_order(latency, header->sequence);
	latency->negative += ticks < 0;
	uint64_t delay = ticks_to_ns(ticks > 0 ? (uint64_t)ticks : 0);
	account_delay(latency, delay, now);
	variation_note(latency->variation, note_number(latency, header->sequence), delay);
	if (latency->arrivals_recorded < latency->arrivals_capacity)
		latency->arrivals[latency->arrivals_recorded++] = (struct arrival){
			.ticks = now, .number = header->sequence - FIRST_SEQUENCE,
			.delay_ns = (uint32_t)RTE_MIN(delay, (uint64_t)UINT32_MAX),
		};
	return true;
}

static bool receive_latency(uint32_t port, const struct rte_mbuf *frame, uint64_t now)
{
	const struct latency_header *header =
		rte_pktmbuf_mtod_offset(frame, const struct latency_header *, frame->data_len - sizeof(*header));
	if (header->magic != LATENCY_MAGIC || header->hw_id >= LATENCY_FLOWS)
		return false;
	uint32_t flow = STATS_FLOWS + header->hw_id;
	if (!flow_active[flow] || !latency_flows[header->hw_id].started)
		return false;
	lock(flow);
	bool ours = account_latency(port, frame, header, now);
	unlock(flow);
	return ours;
}

/* Account a frame by its mark; false when that names no living flow. */
static bool receive_marked(uint32_t port, const struct rte_mbuf *frame, uint64_t now)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	uint16_t mark = ip_mark(bytes, ip_find(bytes, frame->data_len));
	if (mark == MARK_LATENCY)
		return receive_latency(port, frame, now);
	uint32_t hw_id = mark - MARK_STATS;
	if (mark < MARK_STATS || hw_id >= STATS_FLOWS || !flow_active[hw_id])
		return false;
	if (verifiers[hw_id] != NULL) {
		lock(hw_id);
		enum verdict verdict = verify_stats(verifiers[hw_id], port, frame);
		unlock(hw_id);
		if (verdict != VERDICT_GOOD)
			return verdict != VERDICT_FOREIGN;
	}
	count_received(port, hw_id, frame);
	return true;
}

static bool receive(uint32_t port, const struct rte_mbuf *frame, uint64_t now)
{
	return receive_marked(port, frame, now) || verify_unknown(port, frame) == VERDICT_WRONG;
}

static __rte_noinline bool receive_segments(uint32_t port, const struct rte_mbuf *frame, uint64_t now)
{
	struct flat copy;
	frame = buffers_flat(frame, &copy);
	return frame != NULL && receive(port, frame, now);
}

bool flow_receive(uint32_t port, const struct rte_mbuf *frame, uint64_t now)
{
	return likely(frame->nb_segs == 1) ? receive(port, frame, now) : receive_segments(port, frame, now);
}
