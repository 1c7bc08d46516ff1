/* Time: the CPU's time stamp counter, calibrated against CLOCK_MONOTONIC_RAW.
 *
 * DPDK's own estimate is rounded to 10 MHz, which is up to 0.2 % of the rates and latencies measured with it.
 */
#ifndef VTREX_CLOCK_H
#define VTREX_CLOCK_H

#include <stdint.h>
#include <rte_cycles.h>

extern double ticks_per_ns;

static inline uint64_t clock_ticks(void) { return rte_rdtsc(); }
static inline uint64_t ticks_to_ns(uint64_t ticks) { return (uint64_t)((double)ticks / ticks_per_ns); }
static inline uint64_t ns_to_ticks(double ns) { return (uint64_t)(ns * ticks_per_ns); }

/* Measure ticks_per_ns between two moments a quarter of a second apart, or more when other work takes longer: the second
 * call waits for what is left. Nothing may convert ticks before it. */
void clock_calibration_begin(void);
void clock_calibration_end(void);

struct instant {
	uint64_t ticks;
	uint64_t ns;
};

/* CLOCK_MONOTONIC in nanoseconds, one moment on both clocks, and the tick count of a coming moment (0 or past: now). */
uint64_t clock_monotonic_ns(void);
struct instant clock_now(void);
uint64_t clock_ticks_at(uint64_t monotonic_ns);

#endif
