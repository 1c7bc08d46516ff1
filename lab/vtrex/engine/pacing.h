/* How well a port kept to its schedule: how late its frames left, and how evenly.
 *
 * The lateness of a frame is the time from when it was due until its burst was offered to the device; all frames of a
 * burst count with that of its first. The jitter of a frame is by how much its distance from the frame of its stream that
 * left before differs from their distance on the schedule: of the first of a burst it is the change of the lateness since
 * then, of the others, which leave at once with the one before, the stream's period.
 *
 * Both are kept in ticks, so that counting a burst takes no division. Written by the worker that has the port.
 */
#ifndef VTREX_PACING_H
#define VTREX_PACING_H

#include <stdint.h>
#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "histogram.h"
#include "protocol.h"
#include "stream.h"

#define PACING_BUCKETS (27 * HISTOGRAM_HALF) /* up to 2^37 ticks, half a minute */

struct spread {
	uint64_t max;
	uint64_t counts[PACING_BUCKETS]; /* frames by histogram_index() */
};

struct pacing {
	struct spread lateness, jitter;
} __rte_cache_aligned;

extern struct pacing pacings[MAX_PORTS];

/* Forget what was seen. */
void pacing_begin(struct pacing *pacing);

/* In ns; all 0 when there were no frames. */
struct percentiles spread_percentiles(const struct spread *spread);

static inline void spread_add(struct spread *spread, uint64_t ticks, uint64_t frames)
{
	if (unlikely(ticks > spread->max))
		spread->max = ticks;
	spread->counts[histogram_index(RTE_MIN(ticks, (1ull << 37) - 1))] += frames;
}

/* Count `frames` of a stream that left in one burst, the first of them `lateness` ticks after it was due. */
static inline void pacing_left(struct pacing *pacing, struct stream *stream, uint64_t lateness, uint32_t frames)
{
	if (frames == 0)
		return;
	int64_t change = (int64_t)lateness - stream->last_lateness;
	spread_add(&pacing->lateness, lateness, frames);
	spread_add(&pacing->jitter, (uint64_t)(change < 0 ? -change : change), 1);
	stream->last_lateness = (int64_t)lateness;
	if (frames == 1 || stream->frames_per_tick <= 0)
		return;
	uint64_t period = (uint64_t)stream->ticks_per_frame;
	spread_add(&pacing->jitter, period, frames - 1);
	stream->last_lateness -= (int64_t)(period * (frames - 1));
}

#endif
