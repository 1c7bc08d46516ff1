#include "trial.h"

#include <string.h>

#include "clock.h"

struct trial trial;
uint64_t watch_gap_limit;

void trial_begin(uint64_t now)
{
	trial.number++;
	trial.begin = now;
	trial.end = 0;
	watch_gap_limit = ns_to_ticks(10000);
}

void watch_begin(struct watch *watch) { memset(watch, 0, sizeof(*watch)); }

void watch_gap(struct watch *watch, uint64_t gap)
{
	uint64_t ns = ticks_to_ns(gap);
	watch->over_10us++;
	watch->over_50us += ns > 50000;
	watch->over_100us += ns > 100000;
	watch->over_1ms += ns > 1000000;
	watch->gap_total += gap;
	if (gap <= watch->gap_max)
		return;
	watch->gap_max = gap;
	watch->gap_max_end = watch->last;
}

struct watch_sum watch_total(const struct watch *const *watches, uint32_t count)
{
	struct watch_sum sum = {0};
	for (uint32_t i = 0; i < count; i++) {
		const struct watch *watch = watches[i];
		sum.over_10us += watch->over_10us;
		sum.over_50us += watch->over_50us;
		sum.over_100us += watch->over_100us;
		sum.over_1ms += watch->over_1ms;
		sum.gap_total += watch->gap_total;
		sum.gap_max = RTE_MAX(sum.gap_max, watch->gap_max);
	}
	return sum;
}
