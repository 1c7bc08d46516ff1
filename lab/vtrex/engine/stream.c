#include "stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <rte_memcpy.h>

#include "buffers.h"
#include "clock.h"
#include "flow.h"
#include "verify.h"

#define END_TICKS 2 /* rounding: a frame due this close to the end counts as due at it */

/* How many frames will be sent in the duration; 0 when nobody knows. */
static uint64_t frames_in(const struct stream_spec *spec, double duration_s)
{
	if (spec->next != NO_STREAM || !spec->self_start)
		return 0;
	if (spec->burst_frames != 0)
		return spec->burst_frames * spec->bursts;
	double frames = spec->rate_pps * duration_s + 1;
	return duration_s < 0 || frames > 1e15 ? 0 : (uint64_t)frames;
}

static bool plausible(const struct stream_spec *spec, uint32_t streams)
{
	if (spec->length < SHORTEST_FRAME || spec->length > MAX_FRAME || (spec->kind == FLOW_NONE) != (spec->flow == NO_FLOW))
		return false;
	if (spec->kind == FLOW_STATS && spec->flow >= STATS_FLOWS)
		return false;
	if (spec->kind == FLOW_LATENCY && (spec->flow < STATS_FLOWS || spec->flow >= ALL_FLOWS))
		return false;
	return spec->rate_pps > 0 && spec->gap_before_us >= 0 && spec->burst_gap_us >= 0 &&
	       (spec->next == NO_STREAM || spec->next < streams);
}

static void set_speed(struct stream *stream, double rate_pps)
{
	stream->rate_pps = rate_pps;
	stream->frames_per_tick = rate_pps / (ticks_per_ns * 1e9);
	stream->ticks_per_frame = ticks_per_ns * 1e9 / rate_pps;
}

static void read_spec(struct stream *stream, const struct stream_spec *spec, struct stream *all)
{
	*stream = (struct stream){
		.gap_before_us = spec->gap_before_us, .burst_gap_us = spec->burst_gap_us,
		.burst_frames = spec->burst_frames, .bursts = spec->bursts, .loops = spec->loops, .loops_left = spec->loops,
		.next = spec->next == NO_STREAM ? NULL : &all[spec->next], .self_start = spec->self_start != 0,
		.start_paused = spec->start_paused != 0, .dummy = spec->dummy != 0, .sequence = FIRST_SEQUENCE,
		.length = spec->length, .kind = spec->kind, .generation = spec->generation, .flow = spec->flow,
		.hw_id = (uint16_t)(spec->kind == FLOW_LATENCY ? spec->flow - STATS_FLOWS : spec->flow),
		.next_due = NEVER,
	};
	set_speed(stream, spec->rate_pps);
}

const uint8_t *stream_read(struct stream *stream, const uint8_t *from, const uint8_t *end, double duration_s,
			   struct stream *all, uint32_t count)
{
	const struct stream_spec *spec = (const void *)from;
	if ((size_t)(end - from) < sizeof(*spec) || !plausible(spec, count))
		return NULL;
	read_spec(stream, spec, all);
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

/* The frames of the run: of the burst, or those due from base_tsc to the end if they are fewer. */
static uint64_t limit_of(const struct stream *stream)
{
	uint64_t limit = NEVER, end = stream->profile->end;
	if (end != NEVER) {
		double ticks = end > stream->base_tsc ? (double)(end - stream->base_tsc) : 0;
		ticks += stream->profile->end_fraction - stream->base_fraction;
		double frames = stream->burst_frames == 0 ? round(ticks * stream->frames_per_tick)
							  : ceil((ticks - END_TICKS) * stream->frames_per_tick);
		limit = stream->base_count + (frames > 0 ? (uint64_t)frames : 0);
	}
	if (stream->burst_frames != 0 && stream->burst_frames < limit)
		limit = stream->burst_frames;
	return limit;
}

/* The tick (from base_tsc on) at which a frame of the run is due. */
static double due_after_base(const struct stream *stream, uint64_t frame)
{
	return stream->base_fraction + (double)(frame - stream->base_count) * stream->ticks_per_frame;
}

/* The next number that is given is that of frame `scheduled` of the run. */
static void note_due(struct stream *stream)
{
	if (stream->verifier == NULL || !stream->running)
		return;
	if (stream->rate_pps <= 0 || stream->scheduled < stream->base_count) {
		timetable_break(&stream->verifier->timetable, stream->verifier->sent);
		return;
	}
	double due = due_after_base(stream, stream->scheduled);
	struct timetable_entry entry = {
		.number = stream->verifier->sent, .tick = stream->base_tsc + (uint64_t)due,
		.fraction = due - floor(due), .period = stream->ticks_per_frame,
	};
	timetable_add(&stream->verifier->timetable, entry);
}

static void schedule_next(struct stream *stream)
{
	if (stream->scheduled < stream->base_count)
		stream->next_due = stream->base_tsc;
	else if (stream->rate_pps <= 0)
		stream->next_due = stream->profile->end; /* paused */
	else
		stream->next_due = stream->base_tsc + (uint64_t)ceil(due_after_base(stream, stream->scheduled));
}

/* Begin a run `ticks` after base_tsc. */
static bool begin_run(struct stream *stream, uint64_t base_tsc, double ticks)
{
	stream->base_tsc = base_tsc + (uint64_t)ticks;
	stream->base_fraction = ticks - floor(ticks);
	stream->base_count = stream->scheduled = 0;
	stream->limit = limit_of(stream);
	stream->running = stream->limit != 0;
	note_due(stream);
	schedule_next(stream);
	return stream->running;
}

static double us_to_ticks(double us) { return us * 1e3 * ticks_per_ns; }

void stream_begin(struct stream *stream, uint64_t begin)
{
	stream->bursts_left = stream->bursts;
	begin_run(stream, begin, us_to_ticks(stream->gap_before_us));
}

struct stream *stream_follow(struct stream *stream)
{
	uint64_t last_base = stream->base_tsc;
	double last = stream->limit == 0 ? 0 : due_after_base(stream, stream->limit - 1);
	stream->past += stream->limit;
	stream->running = false;
	bool whole = stream->burst_frames != 0 && stream->limit == stream->burst_frames;
	stream->base_count = stream->scheduled = stream->limit = 0;
	if (!whole)
		return NULL;
	if (stream->bursts == 0 || --stream->bursts_left != 0)
		return begin_run(stream, last_base, last + us_to_ticks(stream->burst_gap_us)) ? stream : NULL;
	struct stream *next = stream->next;
	if (next == NULL || next->running || (stream->loops != 0 && --stream->loops_left == 0))
		return NULL;
	next->bursts_left = next->bursts;
	return begin_run(next, last_base, last + us_to_ticks(next->gap_before_us)) ? next : NULL;
}

void stream_set_rate(struct stream *stream, double rate_pps, uint64_t now)
{
	if (stream->running && now > stream->base_tsc) {
		stream->base_count = stream_due(stream, now);
		stream->base_tsc = now;
		stream->base_fraction = 0;
	}
	set_speed(stream, rate_pps);
	if (!stream->running)
		return;
	if (stream->verifier != NULL)
		timetable_break(&stream->verifier->timetable, stream->verifier->sent);
	if (rate_pps > 0)
		stream->limit = limit_of(stream);
	schedule_next(stream);
}

uint64_t stream_due(const struct stream *stream, uint64_t now)
{
	double ticks = now < stream->base_tsc ? -1 : (double)(now - stream->base_tsc) - stream->base_fraction;
	if (ticks < 0 || stream->rate_pps <= 0)
		return stream->base_count;
	uint64_t due = stream->base_count + 1 + (uint64_t)(ticks * stream->frames_per_tick);
	return due < stream->limit ? due : stream->limit;
}

void stream_schedule(struct stream *stream, uint64_t frames)
{
	stream->scheduled += frames;
	schedule_next(stream);
}

/* Frames of a latency stream have been given numbers. */
static void numbered(struct stream *stream, uint64_t frames)
{
	uint64_t numbered = latency_flows[stream->hw_id].numbered + frames;
	__atomic_store_n(&latency_flows[stream->hw_id].numbered, numbered, __ATOMIC_RELEASE);
}

void stream_refuse(struct stream *stream, uint64_t frames)
{
	stream_schedule(stream, frames);
	if (stream->verifier != NULL)
		stream->verifier->sent += frames;
	if (stream->kind != FLOW_LATENCY)
		return;
	stream->sequence += (uint32_t)frames;
	latency_flows[stream->hw_id].lost += frames;
	numbered(stream, frames);
}

void stream_miss(struct stream *stream, uint64_t frames)
{
	stream_schedule(stream, frames);
	note_due(stream);
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
	numbered(stream, count);
}

uint32_t stream_build(struct stream *stream, struct rte_mempool *pool, struct rte_mbuf **frames, uint32_t count)
{
	if (unlikely(stream->length > SMALL_FRAME))
		pool = large_pool;
	if (rte_pktmbuf_alloc_bulk(pool, frames, count) != 0)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		frames[i]->data_len = stream->length;
		frames[i]->pkt_len = stream->length;
		rte_memcpy(rte_pktmbuf_mtod(frames[i], void *), stream->frame, stream->length);
	}
	if (stream->program.actions != 0)
		field_apply(&stream->program, frames, count);
	if (stream->kind == FLOW_LATENCY)
		write_latency_headers(stream, frames, count);
	else if (stream->verifier != NULL)
		verify_sign(stream->verifier, frames, count);
	if (stream->program.finishes && stream->kind != FLOW_LATENCY)
		field_finish(&stream->program, frames, count);
	return count;
}

void stream_stamp(const struct stream *stream, struct rte_mbuf **frames, uint32_t count, uint64_t ticks)
{
	for (uint32_t i = 0; i < count; i++) {
		if (stream->verifier != NULL)
			verify_stamp(stream->verifier, frames[i], ticks);
		else
			rte_pktmbuf_mtod_offset(frames[i], struct latency_header *,
						frames[i]->data_len - sizeof(struct latency_header))->ticks = ticks;
	}
	if (stream->program.finishes)
		field_finish(&stream->program, frames, count);
}

void stream_release(struct stream *stream)
{
	free(stream->frame);
	stream->frame = NULL;
	field_release(&stream->program);
}
