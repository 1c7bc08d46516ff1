/* A stream: a template frame with a field program, sent on an absolute schedule.
 *
 * Invariants: frame k (from 0) is due at base_tsc + (k - base_count) / frames_per_tick, never relative to when its
 * predecessor left, so lateness does not add up. settled = sent + queue_full + late counts the frames of the schedule
 * that are done with; settled <= limit. Frames in `pending` are built, not yet accepted by the device and not settled.
 */
#ifndef VTREX_STREAM_H
#define VTREX_STREAM_H

#include <rte_mbuf.h>

#include "field.h"
#include "protocol.h"
#include "verifier.h"

#define NEVER UINT64_MAX

struct stream {
	uint64_t next_due; /* ticks, NEVER while paused */
	double frames_per_tick;
	uint64_t base_tsc, base_count;
	uint64_t limit;        /* frames in all, NEVER = until stopped */
	uint64_t total_frames; /* of a burst, 0 = none */
	uint64_t settled, sent, queue_full, late;
	int64_t last_lateness; /* ticks, of the last frame that left; negative: it left with an earlier one: pacing.h */
	uint64_t end_tsc;      /* of the duration, NEVER = none */
	struct rte_mbuf *pending[BURST];
	uint16_t first_pending, pending_count;
	uint16_t length;
	uint8_t kind, generation;
	uint16_t hw_id;
	uint32_t flow; /* flow index or NO_FLOW */
	uint32_t sequence;
	double rate_pps, gap_before_us;
	uint8_t *frame;
	struct verifier *verifier; /* NULL: frames are only counted; freed by whom it was installed for or given up by */
	struct field_program program;
};

/* Read a stream from a request, to be sent for a duration (below 0: until stopped); returns the byte after it or NULL
 * when the request is malformed.
 */
const uint8_t *stream_read(struct stream *stream, const uint8_t *from, const uint8_t *end, double duration_s);

/* Put the stream on its schedule from tick `begin` on, for a duration (below 0: until stopped). */
void stream_begin(struct stream *stream, uint64_t begin, double duration_s);

/* Change the rate from tick `now` on; 0 pauses. */
void stream_set_rate(struct stream *stream, double rate_pps, uint64_t now);

/* How many frames have become due up to tick `now`, at most the limit. */
uint64_t stream_due(const struct stream *stream, uint64_t now);

/* The tick at which the next unsettled frame is due. */
void stream_schedule_next(struct stream *stream);
uint64_t stream_due_tick(const struct stream *stream, uint64_t frame);

/* Make up to `count` frames pending. Returns how many are. */
uint16_t stream_build(struct stream *stream, struct rte_mempool *pool, uint64_t count);

/* Write the time stamp into the pending frames of a latency stream, which are then finished. */
void stream_stamp(struct stream *stream, uint64_t ticks);

void stream_release(struct stream *stream);

#endif
