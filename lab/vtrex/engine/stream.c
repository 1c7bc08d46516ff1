#include "stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <rte_memcpy.h>

#include "buffers.h"
#include "clock.h"
#include "flow.h"
#include "verify.h"

/* How many frames will be sent in the duration; 0 when nobody knows. */
static uint64_t frames_in(const struct stream_spec *spec, double duration_s)
{
	if (spec->total_frames != 0)
		return spec->total_frames;
	double frames = spec->rate_pps * duration_s + 1;
	return duration_s < 0 || frames > 1e15 ? 0 : (uint64_t)frames;
}

const uint8_t *stream_read(struct stream *stream, const uint8_t *from, const uint8_t *end, double duration_s)
{
	const struct stream_spec *spec = (const void *)from;
	if ((size_t)(end - from) < sizeof(*spec) || spec->length < SHORTEST_FRAME || spec->length > MAX_FRAME ||
	    (spec->kind == FLOW_NONE) != (spec->flow == NO_FLOW) || !(spec->rate_pps > 0) || !(spec->gap_before_us >= 0))
		return NULL;
	if (spec->kind == FLOW_STATS && spec->flow >= STATS_FLOWS)
		return NULL;
	if (spec->kind == FLOW_LATENCY && (spec->flow < STATS_FLOWS || spec->flow >= ALL_FLOWS))
		return NULL;
	memset(stream, 0, sizeof(*stream));
	stream->rate_pps = spec->rate_pps;
	stream->gap_before_us = spec->gap_before_us;
	stream->total_frames = spec->total_frames;
	stream->length = spec->length;
	stream->kind = spec->kind;
	stream->generation = spec->generation;
	stream->flow = spec->flow;
	stream->hw_id = (uint16_t)(spec->kind == FLOW_LATENCY ? spec->flow - STATS_FLOWS : spec->flow);
	from = field_read(&stream->program, spec, (const uint8_t *)(spec + 1), end);
	const struct verify_spec *how = (const void *)from;
	if (from != NULL && spec->verified)
		from += sizeof(*how);
	if (from == NULL || from > end || (size_t)(end - from) < spec->length)
		return NULL;
	stream->frame = malloc(spec->length);
	if (stream->frame == NULL || !buffers_prepare(spec->length))
		return NULL;
	memcpy(stream->frame, from, spec->length);
	if (spec->verified) {
		stream->verifier = verifier_new(spec, how, from, &stream->program, frames_in(spec, duration_s));
		if (stream->verifier == NULL)
			return NULL;
	}
	return from + spec->length;
}

/* The frames of the burst, or those of the `seconds` that are left from base_tsc on if they are fewer. */
static uint64_t limit_of(const struct stream *stream, double seconds)
{
	uint64_t limit = NEVER;
	if (stream->end_tsc != NEVER)
		limit = stream->base_count + (seconds > 0 ? (uint64_t)llround(seconds * stream->rate_pps) : 0);
	if (stream->total_frames != 0 && stream->total_frames < limit)
		limit = stream->total_frames;
	return limit;
}

void stream_begin(struct stream *stream, uint64_t begin, double duration_s)
{
	stream->frames_per_tick = stream->rate_pps / (ticks_per_ns * 1e9);
	stream->base_tsc = begin + ns_to_ticks(stream->gap_before_us * 1e3);
	stream->base_count = 0;
	stream->end_tsc = duration_s < 0 ? NEVER : begin + ns_to_ticks(duration_s * 1e9);
	stream->limit = limit_of(stream, duration_s - stream->gap_before_us / 1e6);
	stream->sequence = FIRST_SEQUENCE;
	stream_schedule_next(stream);
}

void stream_set_rate(struct stream *stream, double rate_pps, uint64_t now)
{
	uint64_t from = now > stream->base_tsc ? now : stream->base_tsc;
	stream->base_count = stream_due(stream, now);
	stream->base_tsc = from;
	stream->rate_pps = rate_pps;
	stream->frames_per_tick = rate_pps / (ticks_per_ns * 1e9);
	if (rate_pps > 0)
		stream->limit = limit_of(stream, ((double)stream->end_tsc - (double)from) / (ticks_per_ns * 1e9));
	stream_schedule_next(stream);
}

uint64_t stream_due(const struct stream *stream, uint64_t now)
{
	if (now < stream->base_tsc)
		return stream->base_count;
	if (stream->frames_per_tick <= 0)
		return stream->base_count;
	uint64_t due = stream->base_count + 1 + (uint64_t)((double)(now - stream->base_tsc) * stream->frames_per_tick);
	return due < stream->limit ? due : stream->limit;
}

uint64_t stream_due_tick(const struct stream *stream, uint64_t frame)
{
	if (frame < stream->base_count)
		return stream->base_tsc;
	return stream->base_tsc + (uint64_t)ceil((double)(frame - stream->base_count) / stream->frames_per_tick);
}

void stream_schedule_next(struct stream *stream)
{
	if (stream->frames_per_tick <= 0 && stream->settled >= stream->base_count)
		stream->next_due = NEVER;
	else
		stream->next_due = stream_due_tick(stream, stream->settled);
}

static void write_latency_headers(struct stream *stream, struct rte_mbuf **frames, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct latency_header *header = rte_pktmbuf_mtod_offset(
			frames[i], struct latency_header *, frames[i]->data_len - sizeof(*header));
		header->magic = LATENCY_MAGIC;
		header->generation = stream->generation;
		header->hw_id = stream->hw_id;
		header->sequence = stream->sequence++;
	}
	if (stream->verifier != NULL)
		stream->verifier->sent += count;
	uint64_t numbered = latency_flows[stream->hw_id].numbered + count;
	__atomic_store_n(&latency_flows[stream->hw_id].numbered, numbered, __ATOMIC_RELEASE);
}

uint16_t stream_build(struct stream *stream, struct rte_mempool *pool, uint64_t count)
{
	if (stream->pending_count != 0)
		return stream->pending_count;
	uint32_t n = count < BURST ? (uint32_t)count : BURST;
	if (unlikely(stream->length > SMALL_FRAME))
		pool = large_pool;
	if (n == 0 || rte_pktmbuf_alloc_bulk(pool, stream->pending, n) != 0)
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *frame = stream->pending[i];
		frame->data_len = stream->length;
		frame->pkt_len = stream->length;
		rte_memcpy(rte_pktmbuf_mtod(frame, void *), stream->frame, stream->length);
	}
	if (stream->program.actions != 0)
		field_apply(&stream->program, stream->pending, n);
	if (stream->kind == FLOW_LATENCY)
		write_latency_headers(stream, stream->pending, n);
	else if (stream->verifier != NULL)
		verify_sign(stream->verifier, stream->pending, n);
	if (stream->program.finishes && stream->kind != FLOW_LATENCY)
		field_finish(&stream->program, stream->pending, n);
	stream->first_pending = 0;
	stream->pending_count = (uint16_t)n;
	return stream->pending_count;
}

void stream_stamp(struct stream *stream, uint64_t ticks)
{
	for (uint32_t i = 0; i < stream->pending_count; i++) {
		struct rte_mbuf *frame = stream->pending[stream->first_pending + i];
		if (stream->verifier != NULL)
			verify_stamp(stream->verifier, frame, ticks);
		else
			rte_pktmbuf_mtod_offset(frame, struct latency_header *,
						frame->data_len - sizeof(struct latency_header))->ticks = ticks;
	}
	if (stream->program.finishes)
		field_finish(&stream->program, stream->pending + stream->first_pending, stream->pending_count);
}

void stream_release(struct stream *stream)
{
	for (uint32_t i = 0; i < stream->pending_count; i++)
		rte_pktmbuf_free(stream->pending[stream->first_pending + i]);
	stream->pending_count = 0;
	free(stream->frame);
	stream->frame = NULL;
	field_release(&stream->program);
}
