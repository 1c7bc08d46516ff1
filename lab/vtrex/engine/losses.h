/* Numbers that are missing, found in rising order: how many, the first, the last, and the longest run of them. */
#ifndef VTREX_LOSSES_H
#define VTREX_LOSSES_H

#include <stdint.h>

/* Invariant: the run of `run` numbers from `run_first` on ends with the greatest missing number that is known. */
struct losses {
	uint64_t lost;
	uint64_t first; /* of no meaning while nothing is lost */
	uint64_t run_first, run;
	uint64_t longest_first, longest; /* of two runs as long as each other, the earlier */
};

/* Add `count` (not 0) missing numbers from `first` on, which is above all that were added before. */
static inline void losses_add(struct losses *losses, uint64_t first, uint64_t count)
{
	if (losses->lost == 0)
		losses->first = first;
	if (losses->run == 0 || losses->run_first + losses->run != first) {
		losses->run_first = first;
		losses->run = 0;
	}
	losses->lost += count;
	losses->run += count;
	if (losses->run > losses->longest) {
		losses->longest = losses->run;
		losses->longest_first = losses->run_first;
	}
}

/* Add the numbers from `base` to `base` + 63 whose bits are 0. */
static inline void losses_add_zeros(struct losses *losses, uint64_t base, uint64_t bits)
{
	for (uint64_t missing = ~bits; missing != 0;) {
		uint32_t at = (uint32_t)__builtin_ctzll(missing);
		uint64_t rest = ~(missing >> at); /* 0 when all 64 are missing */
		uint32_t count = rest == 0 ? 64 : (uint32_t)__builtin_ctzll(rest);
		losses_add(losses, base + at, count);
		missing = at + count >= 64 ? 0 : missing & UINT64_MAX << (at + count);
	}
}

#endif
