#include "trial.h"

#include <string.h>

#include "clock.h"

struct trial trial;

void trial_begin(uint64_t now)
{
	uint64_t number = trial.number + 1;
	memset(&trial, 0, sizeof(trial));
	trial.number = number;
	trial.begin = now;
	trial.gap_limit = ns_to_ticks(10000);
}

void trial_gap(uint64_t gap)
{
	uint64_t ns = ticks_to_ns(gap);
	trial.over_10us++;
	trial.over_50us += ns > 50000;
	trial.over_100us += ns > 100000;
	trial.over_1ms += ns > 1000000;
	trial.gap_total += gap;
	if (gap > trial.gap_max)
		trial.gap_max = gap;
}

void trial_late(uint64_t late_ticks, uint32_t frames)
{
	if (late_ticks > trial.lateness_max)
		trial.lateness_max = late_ticks;
	uint64_t ns = ticks_to_ns(late_ticks);
	trial.lateness[histogram_index(ns < HISTOGRAM_MAX_NS ? ns : HISTOGRAM_MAX_NS)] += frames;
}

uint64_t trial_lateness_p99_ns(void)
{
	uint64_t total = 0, seen = 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += trial.lateness[i];
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += trial.lateness[i];
		if (total != 0 && seen * 100 >= total * 99)
			return histogram_value(i);
	}
	return 0;
}
