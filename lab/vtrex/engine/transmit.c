#include "transmit.h"

#include <math.h>
#include <rte_ethdev.h>

#include "clock.h"
#include "flow.h"
#include "pacing.h"

#define STEPS 64 /* streams looked at in one turn: chains of gaps and lost frames must not keep the others waiting */
#define LONGEST_LAG_NS 1e9 /* a chain that is behind its end by more is cut off */

static void profile_left(struct port *port, struct profile *profile)
{
	profile->active--;
	port->active_count--;
	port->ended |= profile->active == 0;
}

static void profile_joined(struct port *port, struct profile *profile)
{
	profile->active++;
	port->active_count++;
}

static struct lane *lane_of(struct port *port, const struct stream *stream)
{
	return &port->lanes[stream->kind == FLOW_LATENCY ? LANE_LATENCY : LANE_BULK];
}

static void account(struct port *port, struct stream *stream, uint32_t sent, uint64_t bytes, uint32_t lost)
{
	bytes += (uint64_t)sent * RTE_ETHER_CRC_LEN;
	stream->sent += sent;
	port->tx_packets += sent;
	port->tx_bytes += bytes;
	if (stream->flow != NO_FLOW) {
		flow_counters[port->index][stream->flow].tx_packets += sent;
		flow_counters[port->index][stream->flow].tx_bytes += bytes;
	}
	if (likely(lost == 0))
		return;
	stream->queue_full += lost;
	port->tx_given_up += lost;
	if (stream->kind == FLOW_LATENCY)
		latency_flows[stream->hw_id].lost += lost;
}

/* Give up the frames of the run that are overdue by more than `bound`. */
static void give_up(struct port *port, struct stream *stream, uint64_t now, uint64_t bound, uint64_t *counter)
{
	uint64_t overdue = stream_due(stream, now - bound);
	if (overdue <= stream->scheduled)
		return;
	uint64_t frames = overdue - stream->scheduled;
	if (stream->dummy) {
		stream_schedule(stream, frames);
		return;
	}
	*counter += frames;
	port->tx_given_up += frames;
	if (counter == &stream->queue_full)
		stream_refuse(stream, frames);
	else
		stream_miss(stream, frames);
}

/* The top of the lane's agenda has been looked at: where does it, or what follows it, belong now? */
static void move_on(struct port *port, struct lane *lane, uint64_t now)
{
	struct stream *stream = lane->agenda.entries[0].stream;
	if (likely(stream->scheduled < stream->limit)) {
		agenda_move_top(&lane->agenda);
		return;
	}
	struct profile *profile = stream->profile;
	if (profile->end != NEVER && now > profile->end + port_limits.late + ns_to_ticks(LONGEST_LAG_NS))
		profile->end = 0; /* a chain that is so far behind begins nothing more */
	struct stream *next = stream_follow(stream);
	if (next == stream) {
		agenda_move_top(&lane->agenda);
		return;
	}
	agenda_remove_top(&lane->agenda);
	if (next != NULL)
		agenda_add(&lane_of(port, next)->agenda, next);
	else
		profile_left(port, profile);
}

/* Who made a frame late: where the device refused frames shortly before the last offer (the engine may have been away
 * since), the device is slower than the schedule, and not the engine.
 */
static uint64_t *blame(const struct port *port, struct stream *stream)
{
	bool device = port->refused_at != 0 && port->offered_at - port->refused_at < port_limits.full_wait;
	return device ? &stream->queue_full : &stream->late;
}

/* Build frames of a stream that are due into the batch. False when there are no buffers. */
static bool build(struct port *port, struct lane *lane, struct stream *stream, uint64_t now)
{
	if (unlikely(now - stream->next_due > port_limits.late))
		give_up(port, stream, now, port_limits.late, blame(port, stream));
	uint64_t due = RTE_MAX(stream_due(stream, now), stream->scheduled + 1); /* next_due is what counts */
	uint64_t count = due < stream->limit ? due - stream->scheduled : stream->limit - stream->scheduled;
	if (stream->next_due > now || count == 0)
		return true;
	if (likely(!stream->dummy)) {
		count = RTE_MIN(count, BURST - lane->count);
		uint64_t first_due = stream->next_due;
		if (stream_build(stream, tx_pool, lane->frames + lane->count, (uint32_t)count) == 0)
			return false;
		lane->segments[lane->segment_count++] = (struct segment){stream, (uint32_t)count, first_due};
		lane->count += (uint32_t)count;
		profile_joined(port, stream->profile);
	}
	stream_schedule(stream, count);
	return true;
}

/* Fill the empty batch with what is due. */
static void gather(struct port *port, struct lane *lane, uint64_t now)
{
	lane->first = lane->first_segment = lane->segment_count = 0;
	for (uint32_t step = 0; step < STEPS && lane->count < BURST && agenda_is_due(&lane->agenda, now); step++) {
		struct stream *stream = lane->agenda.entries[0].stream;
		if (unlikely(stream->rate_pps <= 0 && stream->scheduled >= stream->base_count))
			stream->limit = stream->scheduled; /* paused until its end */
		else if (!build(port, lane, stream, now))
			return;
		move_on(port, lane, now);
	}
}

static uint32_t bits(uint32_t mask, uint32_t from, uint32_t count)
{
	return (uint32_t)__builtin_popcountll((uint64_t)mask >> from & ((1ull << count) - 1));
}

/* The bytes (without FCS) of the frames of a segment that the device has taken; the segment begins `at` the batch's. */
static uint64_t bytes_of(const struct lane *lane, const struct segment *segment, uint32_t mask, uint32_t at,
			 uint32_t taken)
{
	if (likely(!segment->stream->program.trims))
		return (uint64_t)taken * segment->stream->length;
	uint64_t bytes = 0;
	for (uint32_t i = at; i < at + segment->frames; i++)
		bytes += (mask >> i & 1) != 0 ? lane->sizes[lane->first + i] : 0;
	return bytes;
}

/* Credit each stream with what became of its frames; those that the device has not taken stay in the batch. */
static void settle(struct port *port, struct lane *lane, struct outcome outcome, uint64_t now)
{
	uint32_t at = 0, done = 0, end = lane->first_segment + lane->segment_count;
	for (uint32_t i = lane->first_segment; i < end; i++) {
		struct segment *segment = &lane->segments[i];
		uint32_t taken = bits(outcome.taken, at, segment->frames), lost = bits(outcome.lost, at, segment->frames);
		account(port, segment->stream, taken, bytes_of(lane, segment, outcome.taken, at, taken), lost);
		at += segment->frames;
		pacing_left(&pacings[port->index], segment->stream, now - segment->due, taken);
		segment->frames -= taken + lost;
		if (unlikely(segment->frames != 0 && segment->stream->rate_pps > 0))
			segment->due += (uint64_t)((taken + lost) * segment->stream->ticks_per_frame);
		done += taken + lost;
	}
	lane->first += done;
	lane->count -= done;
	uint32_t kept = end;
	for (uint32_t i = end; i-- > lane->first_segment;) {
		if (lane->segments[i].frames == 0)
			profile_left(port, lane->segments[i].stream->profile);
		else
			lane->segments[--kept] = lane->segments[i];
	}
	lane->first_segment = kept;
	lane->segment_count = end - kept;
}

/* A device that stays full loses what is overdue; but not what is overdue because the engine itself was away. */
static void refused(struct port *port, struct lane *lane, uint64_t now)
{
	if (port->full_since == 0)
		port->full_since = now;
	uint64_t away = port->watch->gap_total - port->gaps_made_up;
	uint64_t bound = port_limits.full_wait + RTE_MIN(away, port_limits.late);
	if (now - port->full_since <= bound)
		return;
	uint32_t stale = 0;
	for (uint32_t i = lane->first_segment; i < lane->first_segment + lane->segment_count; i++)
		if (now - lane->segments[i].due > bound)
			stale += lane->segments[i].frames;
		else
			break;
	if (stale != 0) {
		rte_pktmbuf_free_bulk(lane->frames + lane->first, stale);
		settle(port, lane, (struct outcome){.lost = (uint32_t)((1ull << stale) - 1)}, now);
	}
	for (uint32_t step = 0; step < STEPS && agenda_is_due(&lane->agenda, now - bound); step++) {
		struct stream *stream = lane->agenda.entries[0].stream;
		give_up(port, stream, now, bound, &stream->queue_full);
		move_on(port, lane, now);
	}
	port->gaps_made_up = port->watch->gap_total;
}

/* What is done to the batch each time it is offered, as the device may have taken any of its frames the last time. */
static void prepare(struct lane *lane, bool latency)
{
	struct rte_mbuf **frames = lane->frames + lane->first;
	uint64_t ticks = latency ? clock_ticks() : 0;
	for (uint32_t i = lane->first_segment, at = 0; i < lane->first_segment + lane->segment_count; i++) {
		const struct segment *segment = &lane->segments[i];
		if (latency)
			stream_stamp(segment->stream, frames + at, segment->frames, ticks);
		if (unlikely(segment->stream->program.trims))
			for (uint32_t k = at; k < at + segment->frames; k++)
				lane->sizes[lane->first + k] = (uint16_t)frames[k]->pkt_len;
		at += segment->frames;
	}
}

static void lane_transmit(struct port *port, struct lane *lane, uint64_t now)
{
	if (lane->count == 0)
		gather(port, lane, now);
	if (lane->count == 0)
		return;
	prepare(lane, lane == &port->lanes[LANE_LATENCY]);
	struct outcome outcome = port_offer(port, lane->frames + lane->first, lane->count);
	settle(port, lane, outcome, now);
	port->offered_at = now;
	if (likely(outcome.taken != 0)) {
		port->last_left = now;
		if (unlikely(port->first_left == 0))
			port->first_left = now;
	}
	if (likely(lane->count == 0)) {
		port->full_since = 0;
		if (!agenda_is_due(&lane->agenda, now))
			port->gaps_made_up = port->watch->gap_total;
		return;
	}
	port->tx_refused++;
	port->refused_at = now;
	refused(port, lane, now);
}

bool transmit_due(struct port *port, uint64_t now)
{
	if (now < port->next_due)
		return false;
	uint64_t next = NEVER;
	for (struct lane *lane = port->lanes; lane < port->lanes + LANES; lane++) {
		lane_transmit(port, lane, now);
		if (lane->count != 0)
			next = now;
		else if (lane->agenda.count != 0)
			next = RTE_MIN(next, lane->agenda.entries[0].due);
	}
	port->next_due = next;
	bool ended = port->ended;
	port->ended = false;
	return ended;
}

void transmit_begin(struct port *port, struct profile *profile, uint64_t begin, double duration)
{
	profile->end = duration < 0 ? NEVER : begin + (uint64_t)duration;
	profile->end_fraction = duration < 0 ? 0 : duration - floor(duration);
	for (uint32_t i = 0; i < profile->count; i++) {
		struct stream *stream = &profile->streams[i];
		stream->profile = profile;
		if (stream->self_start)
			stream_begin(stream, begin);
		if (stream->start_paused)
			stream_set_rate(stream, 0, begin);
		if (!stream->running)
			continue;
		profile_joined(port, profile);
		agenda_add(&lane_of(port, stream)->agenda, stream);
	}
	port->ended |= profile->active == 0;
	port->next_due = 0;
}

static bool is_running(struct stream *stream) { return stream->running; }

void transmit_renew(struct port *port)
{
	for (struct lane *lane = port->lanes; lane < port->lanes + LANES; lane++)
		agenda_renew(&lane->agenda, is_running);
	port->next_due = 0;
}

void transmit_stop(struct port *port, struct profile *profile, uint64_t now)
{
	profile->end = now;
	profile->end_fraction = 0;
	for (uint32_t i = 0; i < profile->count; i++) {
		struct stream *stream = &profile->streams[i];
		if (!stream->running)
			continue;
		stream->limit = RTE_MAX(stream_due(stream, now), stream->scheduled);
		if (stream->scheduled < stream->limit)
			continue;
		stream->running = false;
		profile_left(port, profile);
	}
	transmit_renew(port);
}

struct tally transmit_tally(const struct profile *profile, uint64_t now)
{
	struct tally tally = {0};
	for (uint32_t i = 0; i < profile->count; i++) {
		const struct stream *stream = &profile->streams[i];
		if (stream->dummy)
			continue;
		tally.intended += stream->past + stream_due(stream, now);
		tally.sent += stream->sent;
		tally.queue_full += stream->queue_full;
		tally.late += stream->late;
	}
	return tally;
}

void tally_add(struct tally *sum, struct tally more)
{
	sum->intended += more.intended;
	sum->sent += more.sent;
	sum->queue_full += more.queue_full;
	sum->late += more.late;
}
