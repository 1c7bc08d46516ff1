/* splitmix64 (Steele, Lea, Flood 2014), as lab/simulation/randomness.py. */
#ifndef PIXSIM_RANDOM_H
#define PIXSIM_RANDOM_H

#include <stdint.h>

static inline int64_t random_below(uint64_t *state, int64_t bound)
{
	*state += 0x9E3779B97F4A7C15u;
	uint64_t z = *state;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return (int64_t)((z ^ (z >> 31)) >> 33) % bound;
}

#endif
