/* Where a value falls in an HdrHistogram (1 ns to 10 s, 3 significant digits), so that the counts made here are the
 * counts that the hdrhistogram package would have made. Layout: http://hdrhistogram.org, sub-bucket count 2048.
 */
#ifndef VTREX_HISTOGRAM_H
#define VTREX_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_HALF 1024u
#define HISTOGRAM_MAX_NS 10000000000ull
#define HISTOGRAM_BUCKETS 25600u /* (24 + 1) * 1024: 2048 << 23 is the first power above 10^10 */

static inline uint32_t histogram_index(uint64_t value)
{
	uint32_t bucket = 64u - (uint32_t)__builtin_clzll(value | (2 * HISTOGRAM_HALF - 1)) - 11u;
	return (bucket + 1) * HISTOGRAM_HALF + (uint32_t)(value >> bucket) - HISTOGRAM_HALF;
}

/* The lowest value of the bucket with this index. */
static inline uint64_t histogram_value(uint32_t index)
{
	if (index < 2 * HISTOGRAM_HALF)
		return index;
	uint32_t bucket = index / HISTOGRAM_HALF - 1;
	return (uint64_t)(index % HISTOGRAM_HALF + HISTOGRAM_HALF) << bucket;
}

#endif
