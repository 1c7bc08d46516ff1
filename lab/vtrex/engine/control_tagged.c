#include "control.h"

#include "clock.h"
#include "flow.h"
#include "trial.h"

/* Append { u32 index, u64 count } for each count that is not 0; returns how many. */
static uint32_t append_histogram(struct message *message, const uint64_t *counts, uint32_t size)
{
	uint32_t appended = 0;
	for (uint32_t i = 0; i < size; i++) {
		uint64_t count = counts[i];
		if (count == 0)
			continue;
		message_append(message, &i, sizeof(i));
		message_append(message, &count, sizeof(count));
		appended++;
	}
	return appended;
}

static struct latency_flow *asked_flow(struct message *message, uint32_t hw_id)
{
	if (hw_id < LATENCY_FLOWS && flow_active[STATS_FLOWS + hw_id])
		return &latency_flows[hw_id];
	message_fail(message, "there is no latency flow %u", hw_id);
	return NULL;
}

void control_latency(struct message *message)
{
	const uint32_t *hw_id = message_request(message, sizeof(*hw_id));
	const struct latency_flow *flow = hw_id == NULL ? NULL : asked_flow(message, *hw_id);
	if (flow == NULL)
		return;
	struct latency_reply reply = {
		.count = flow->count, .minimum_ns = flow->minimum, .maximum_ns = flow->maximum,
		.over_range = flow->over_range, .sum_ns = flow->sum, .jitter_ns = flow->jitter,
		.last_maximum_ns = RTE_MAX(flow->last_maximum, flow->window_maximum),
		.dropped = flow->dropped, .out_of_order = flow->out_of_order, .duplicate = flow->duplicate,
		.sequence_high = flow->sequence_high, .sequence_low = flow->sequence_low,
		.old_generation = flow->old_generation, .negative = flow->negative, .started = flow->started,
	};
	message_append(message, &reply, sizeof(reply));
	uint32_t buckets = append_histogram(message, flow->histogram, HISTOGRAM_BUCKETS);
	((struct latency_reply *)message->reply)->buckets = buckets;
}

/* Numbers that a flow has given to frames since its last start, and that went out or were lost by a full queue. */
static uint64_t numbered(const struct latency_flow *flow, uint32_t hw_id)
{
	return flow_sent(STATS_FLOWS + hw_id) - flow->sent_before + flow->lost;
}

void control_sequence(struct message *message)
{
	const uint32_t *hw_id = message_request(message, sizeof(*hw_id));
	const struct latency_flow *flow = hw_id == NULL ? NULL : asked_flow(message, *hw_id);
	if (flow == NULL)
		return;
	const struct sequence *sequence = flow->sequence;
	struct sequence_reply reply = {
		.numbered = numbered(flow, *hw_id), .distinct = sequence->distinct, .duplicates = sequence->duplicates,
		.reordered = sequence->reordered, .too_old = sequence->too_old, .never_sent = sequence->never_sent,
		.extent_max = sequence->extent_max, .extent_sum = sequence->extent_sum,
		.extent_unknown = sequence->extent_unknown, .window = SEQUENCE_WINDOW, .gaps = SEQUENCE_GAPS,
	};
	message_append(message, &reply, sizeof(reply));
	append_histogram(message, sequence->extents, SEQUENCE_EXTENTS);
}

void control_variation(struct message *message)
{
	const uint32_t *hw_id = message_request(message, sizeof(*hw_id));
	const struct latency_flow *flow = hw_id == NULL ? NULL : asked_flow(message, *hw_id);
	if (flow == NULL)
		return;
	const struct variation *variation = flow->variation;
	struct variation_reply reply = {
		.count = variation->count, .over_range = variation->over_range, .minimum_ns = variation->minimum,
		.maximum_ns = variation->maximum, .absolute_sum_ns = variation->absolute_sum,
	};
	message_append(message, &reply, sizeof(reply));
	append_histogram(message, variation->histogram, HISTOGRAM_BUCKETS);
}

#define ARRIVAL_BYTES (2 * sizeof(uint32_t) + sizeof(uint64_t))

static void append_arrivals(struct message *message, const struct arrival *arrivals, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		message_append(message, &arrivals[i].number, sizeof(arrivals[i].number));
	for (uint64_t i = 0; i < count; i++)
		message_append(message, &arrivals[i].delay_ns, sizeof(arrivals[i].delay_ns));
	for (uint64_t i = 0; i < count; i++) {
		uint64_t ns = ticks_to_ns(arrivals[i].ticks - trial.begin);
		message_append(message, &ns, sizeof(ns));
	}
}

void control_arrivals(struct message *message)
{
	const struct arrivals_request *request = message_request(message, sizeof(*request));
	const struct latency_flow *flow = request == NULL ? NULL : asked_flow(message, request->latency_flow);
	if (flow == NULL)
		return;
	struct arrivals_reply reply = {
		.received = flow->count, .recorded = flow->arrivals_capacity == 0 ? 0 : flow->arrivals_recorded,
		.sent = numbered(flow, request->latency_flow),
	};
	if (request->offset < reply.recorded)
		reply.returned = RTE_MIN(request->limit, reply.recorded - request->offset);
	reply.returned = RTE_MIN(reply.returned, (uint64_t)MAX_PAYLOAD / (2 * ARRIVAL_BYTES));
	message_append(message, &reply, sizeof(reply));
	append_arrivals(message, flow->arrivals + request->offset, reply.returned);
}
