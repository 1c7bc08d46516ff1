/* A stream: a template frame with a field program, sent in runs.
 *
 * A run is a row of frames at an even distance: all of a continuous stream, or one burst. Within a run, frame k (from 0)
 * is due at base + (k - base_count) * ticks_per_frame, never relative to when its predecessor left; the next run begins
 * where the schedule says, from the tick at which the last frame of this one was due. So lateness does not add up.
 *
 * Invariants: scheduled frames of the run have been built or given up; scheduled <= limit. A run is followed by the next
 * one at once when scheduled == limit. Of all frames that have become due, each is in one place: to be scheduled, in the
 * batch of its lane, or counted as sent, queue_full or late.
 */
#ifndef VTREX_STREAM_H
#define VTREX_STREAM_H

#include <stdbool.h>
#include <rte_mbuf.h>

#include "field.h"
#include "protocol.h"
#include "verifier.h"

#define NEVER UINT64_MAX

/* The streams of one start, of which a port may run several at a time. */
struct profile {
	struct stream *streams; /* of the last start, kept until the next one for the trial's report */
	uint32_t count;
	uint32_t active; /* its streams on an agenda, and segments in a batch; > 0: it transmits */
	uint64_t end;    /* tick from which on nothing is due; NEVER = until stopped */
	double end_fraction;
	uint64_t trial;  /* number of the trial in which it was started */
};

struct stream {
	uint64_t next_due; /* tick at which frame `scheduled` of the run is due; while paused the end of the profile */
	double frames_per_tick, ticks_per_frame;
	uint64_t base_tsc, base_count;
	double base_fraction;  /* of a tick: thousands of bursts a second must not lose one each */
	uint64_t limit;        /* frames of the run, NEVER = until stopped */
	uint64_t scheduled;
	bool running;          /* it is on the agenda */
	uint64_t past;         /* frames of the runs before this one */
	uint64_t sent, queue_full, late;
	int64_t last_lateness; /* ticks, of the last frame that left; negative: it left with an earlier one: pacing.h */
	uint16_t length;
	uint8_t kind, generation;
	bool dummy;            /* keeps its time, sends nothing */
	bool self_start, start_paused;
	uint16_t hw_id;
	uint32_t flow; /* flow index or NO_FLOW */
	uint32_t sequence;
	uint64_t burst_frames; /* 0 = one run without end */
	uint32_t bursts, bursts_left; /* 0 = without end */
	uint32_t loops, loops_left;   /* how often `next` may begin, plus one; 0 = always */
	struct stream *next;   /* begins when this one has had its last burst */
	struct profile *profile;
	double rate_pps, gap_before_us, burst_gap_us;
	uint8_t *frame;
	struct verifier *verifier; /* NULL: frames are only counted; freed by whom it was installed for or given up by */
	struct field_program program;
};

/* Read a stream from a request, to be sent for a duration (below 0: until stopped); returns the byte after it or NULL
 * when the request is malformed. The stream that follows it is one of `all`.
 */
const uint8_t *stream_read(struct stream *stream, const uint8_t *from, const uint8_t *end, double duration_s,
			   struct stream *all, uint32_t count);

/* Begin the first run from tick `begin` on, the gap before it included. */
void stream_begin(struct stream *stream, uint64_t begin);

/* The run is scheduled to its end. Begin what follows it: another run of this stream, or the first one of the next;
 * returns the stream that runs now, or NULL when nothing follows.
 */
struct stream *stream_follow(struct stream *stream);

/* Change the rate from tick `now` on; 0 pauses. */
void stream_set_rate(struct stream *stream, double rate_pps, uint64_t now);

/* How many frames of the run have become due up to tick `now`, at most the limit. */
uint64_t stream_due(const struct stream *stream, uint64_t now);

/* Count frames of the run, due by now, as scheduled. */
void stream_schedule(struct stream *stream, uint64_t frames);

/* The same of frames that will not be built: those that the device has refused have numbers, as they count as sent and
 * lost; those that the engine was too late for have none.
 */
void stream_refuse(struct stream *stream, uint64_t frames);
void stream_miss(struct stream *stream, uint64_t frames);

/* Make `count` frames (at most BURST). Returns how many: all or none. */
uint32_t stream_build(struct stream *stream, struct rte_mempool *pool, struct rte_mbuf **frames, uint32_t count);

/* Write the time stamp into built frames of a latency stream, which are then finished. */
void stream_stamp(const struct stream *stream, struct rte_mbuf **frames, uint32_t count, uint64_t ticks);

void stream_release(struct stream *stream);

#endif
