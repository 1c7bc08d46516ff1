/* A trial: from the first start of traffic until every port has ended, and what disturbed it.
 *
 * Each polling thread has a watch of its own and is the only one that writes to it; the control thread reads it. The
 * loop calls watch_checkpoint() after each step, the longest of which (a burst of 32 large frames) takes less than
 * 10 us; a longer distance between two checkpoints is time in which the thread did not run.
 */
#ifndef VTREX_TRIAL_H
#define VTREX_TRIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "protocol.h"

struct watch {
	uint64_t last; /* last checkpoint, 0 = not counting */
	uint64_t over_10us, over_50us, over_100us, over_1ms, gap_max, gap_total;
	uint64_t gap_max_end; /* tick at which the longest gap ended */
} __rte_cache_aligned;

struct trial {
	uint64_t number;
	uint64_t begin, end; /* ticks; end 0 = running */
};

extern struct trial trial;
extern uint64_t watch_gap_limit; /* 10 us in ticks */

/* Begin the next trial. */
void trial_begin(uint64_t now);

/* Forget what was seen. */
void watch_begin(struct watch *watch);
void watch_gap(struct watch *watch, uint64_t gap);

/* Add up what all watches saw. */
struct watch_sum {
	uint64_t over_10us, over_50us, over_100us, over_1ms, gap_max, gap_total;
};
struct watch_sum watch_total(const struct watch *const *watches, uint32_t count);

static inline void watch_checkpoint(struct watch *watch, uint64_t now)
{
	if (watch->last == 0)
		return;
	uint64_t gap = now - watch->last;
	watch->last = now;
	if (unlikely(gap > watch_gap_limit))
		watch_gap(watch, gap);
}

#endif
