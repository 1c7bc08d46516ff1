#include "clock.h"

#include <time.h>
#include <unistd.h>

#define CALIBRATION_NS 250000000u

double ticks_per_ns = 1.0;

static struct instant first; /* of the two moments of the calibration */

static uint64_t read_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The two clocks read as close together as 50 attempts allow: a preemption between the reads is not taken. */
static struct instant read_both(clockid_t clock)
{
	struct instant best = {0, 0};
	uint64_t narrowest = UINT64_MAX;
	for (int i = 0; i < 50; i++) {
		uint64_t before = clock_ticks();
		uint64_t ns = read_ns(clock);
		uint64_t after = clock_ticks();
		if (after - before < narrowest) {
			narrowest = after - before;
			best = (struct instant){before + (after - before) / 2, ns};
		}
	}
	return best;
}

void clock_calibration_begin(void) { first = read_both(CLOCK_MONOTONIC_RAW); }

void clock_calibration_end(void)
{
	uint64_t passed_ns = read_ns(CLOCK_MONOTONIC_RAW) - first.ns;
	if (passed_ns < CALIBRATION_NS)
		usleep((useconds_t)((CALIBRATION_NS - passed_ns) / 1000 + 1));
	struct instant second = read_both(CLOCK_MONOTONIC_RAW);
	ticks_per_ns = (double)(second.ticks - first.ticks) / (double)(second.ns - first.ns);
}

uint64_t clock_monotonic_ns(void) { return read_ns(CLOCK_MONOTONIC); }

struct instant clock_now(void) { return read_both(CLOCK_MONOTONIC); }

uint64_t clock_ticks_at(uint64_t monotonic_ns)
{
	struct instant now = clock_now();
	return monotonic_ns <= now.ns ? now.ticks : now.ticks + ns_to_ticks((double)(monotonic_ns - now.ns));
}
