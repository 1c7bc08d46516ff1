/* What the probes of this host share: clocks, pinning, and the CAS ping-pong that tells how far two CPUs are apart. */
#ifndef PIXSIM_PROBE_H
#define PIXSIM_PROBE_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

#define CLOCK_TRIES 50

static inline double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Keep the calling thread on one CPU. */
static inline bool pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

/* Wait for the ball to be `from` and make it `to`; false when the game has ended (2). */
static inline bool pass(atomic_int *ball, int from, int to)
{
	int expected = from;

	while (!atomic_compare_exchange_weak(ball, &expected, to)) {
		if (expected == 2)
			return false;
		expected = from;
	}
	return true;
}

struct instant {
	double clock_s, tsc;
};

/* Both clocks at one time: the closest of many tries, so that no interruption lies between the two. */
static inline struct instant read_both(void)
{
	struct instant best = {0, 0};
	uint64_t closest = UINT64_MAX;

	for (int i = 0; i < CLOCK_TRIES; i++) {
		uint64_t before = __rdtsc();
		double clock_s = now_s();
		uint64_t after = __rdtsc();

		if (after - before < closest) {
			closest = after - before;
			best = (struct instant){clock_s, ((double)before + (double)after) / 2};
		}
	}
	return best;
}

static inline double measure_tsc_hz(double seconds)
{
	struct instant begin = read_both(), end;

	do
		end = read_both();
	while (end.clock_s - begin.clock_s < seconds);
	return (end.tsc - begin.tsc) / (end.clock_s - begin.clock_s);
}

#endif
