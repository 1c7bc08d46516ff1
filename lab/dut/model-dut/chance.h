/* Chance that is the same for the same seed: a number for each (seed, purpose, direction, index), in any order. */
#ifndef CHANCE_H
#define CHANCE_H

#include <stdint.h>

enum purpose { CHANCE_LOSE = 1, CHANCE_DUPLICATE, CHANCE_MOVE, CHANCE_JITTER, CHANCE_SLOW, CHANCE_NOISE_1, CHANCE_NOISE_2 };

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t chance_mix(uint64_t z)
{
	z += 0x9E3779B97F4A7C15u;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

/* Return a number in [0, 1). */
static inline double chance(uint64_t seed, enum purpose purpose, uint64_t direction, uint64_t index)
{
	uint64_t stream = chance_mix(seed ^ (uint64_t)purpose << 56 ^ direction << 48);
	return (double)(chance_mix(stream + index) >> 11) * 0x1p-53;
}

#endif
