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
	if (gap > watch->gap_max)
		watch->gap_max = gap;
}

void watch_late(struct watch *watch, uint64_t late_ticks, uint32_t frames)
{
	if (late_ticks > watch->lateness_max)
		watch->lateness_max = late_ticks;
	uint64_t ns = ticks_to_ns(late_ticks);
	watch->lateness[histogram_index(ns < HISTOGRAM_MAX_NS ? ns : HISTOGRAM_MAX_NS)] += frames;
}

static uint64_t lateness_at(const struct watch *const *watches, uint32_t count, uint32_t bucket)
{
	uint64_t frames = 0;
	for (uint32_t i = 0; i < count; i++)
		frames += watches[i]->lateness[bucket];
	return frames;
}

static uint64_t lateness_p99_ns(const struct watch *const *watches, uint32_t count)
{
	uint64_t total = 0, seen = 0;
	for (uint32_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
		total += lateness_at(watches, count, bucket);
	for (uint32_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
		seen += lateness_at(watches, count, bucket);
		if (total != 0 && seen * 100 >= total * 99)
			return histogram_value(bucket);
	}
	return 0;
}

struct watch_sum watch_total(const struct watch *const *watches, uint32_t count)
{
	struct watch_sum sum = {.lateness_p99_ns = lateness_p99_ns(watches, count)};
	for (uint32_t i = 0; i < count; i++) {
		const struct watch *watch = watches[i];
		sum.over_10us += watch->over_10us;
		sum.over_50us += watch->over_50us;
		sum.over_100us += watch->over_100us;
		sum.over_1ms += watch->over_1ms;
		sum.gap_total += watch->gap_total;
		sum.gap_max = RTE_MAX(sum.gap_max, watch->gap_max);
		sum.lateness_max = RTE_MAX(sum.lateness_max, watch->lateness_max);
	}
	return sum;
}
