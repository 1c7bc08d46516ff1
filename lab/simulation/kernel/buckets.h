/* Buckets of the latency histogram, as lab/simulation/buckets.py: single picoseconds at first, then 64 of equal width to each
 * power of two.
 */
#ifndef PIXSIM_BUCKETS_H
#define PIXSIM_BUCKETS_H

#include <stdint.h>

#define BUCKETS 3520
#define BUCKET_BITS 6

/* The bucket of a latency of 0 <= latency_ps < NEVER. */
static inline int64_t bucket_of_ps(int64_t latency_ps)
{
	int64_t shift = 63 - __builtin_clzll((uint64_t)latency_ps | 1) - BUCKET_BITS;

	if (shift < 0)
		shift = 0;
	return (shift << BUCKET_BITS) + (latency_ps >> shift);
}

#endif
