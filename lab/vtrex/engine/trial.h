/* A trial: from the first start of traffic until every port has ended, and what disturbed it.
 *
 * The poll loop calls trial_checkpoint() after each step, the longest of which (a burst of 32 large frames) takes less
 * than 10 us; a longer distance between two checkpoints is time in which the engine did not run.
 */
#ifndef VTREX_TRIAL_H
#define VTREX_TRIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_branch_prediction.h>

#include "histogram.h"
#include "protocol.h"

struct trial {
	uint64_t number;
	uint64_t begin, end; /* ticks; end 0 = running */
	uint64_t last;       /* last checkpoint, 0 = not counting */
	uint64_t gap_limit;  /* 10 us in ticks */
	uint64_t over_10us, over_50us, over_100us, over_1ms, gap_max, gap_total;
	uint64_t lateness_max; /* ticks */
	uint64_t lateness[HISTOGRAM_BUCKETS]; /* frames, by the lateness in ns of the first frame of their burst */
};

extern struct trial trial;

void trial_begin(uint64_t now);
void trial_gap(uint64_t gap);
uint64_t trial_lateness_p99_ns(void);

static inline void trial_checkpoint(uint64_t now)
{
	if (trial.last == 0)
		return;
	uint64_t gap = now - trial.last;
	trial.last = now;
	if (unlikely(gap > trial.gap_limit))
		trial_gap(gap);
}

void trial_late(uint64_t late_ticks, uint32_t frames);

#endif
