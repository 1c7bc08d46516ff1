/* What a core makes of conditional jumps whose values have not arrived: it predicts that each goes as it went last. The rules are
 * those of lab/simulation/jumps.py.
 *
 * Invariants: guesses are in the order in which they were made; those before `judged` have been looked at, running again.
 */
#ifndef PIXSIM_JUMPS_H
#define PIXSIM_JUMPS_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_GUESSES 64 /* jumps that a core leaves open at a time */

/* A prediction: how many conditional jumps lie between the load that waits and this one, and which way it went. */
struct guess {
	int64_t before;
	bool taken;
};

struct jumps {
	uint8_t *taken;                       /* [program], how each conditional jump went last */
	struct guess guess[MAX_GUESSES];
	int64_t guesses, judged, passed;      /* passed: conditional jumps since the load that waits */
};

/* A load waits: what was predicted behind an earlier one does not matter any more. */
static inline void jumps_begin(struct jumps *jumps)
{
	jumps->guesses = jumps->judged = jumps->passed = 0;
}

/* The load has its value: the same jumps come again. */
static inline void jumps_again(struct jumps *jumps)
{
	jumps->judged = jumps->passed = 0;
}

/* Predict the jump at pc, which depends on what has not arrived; false when too many are open. */
static inline bool jumps_predict(struct jumps *jumps, int64_t pc, bool *taken)
{
	if (jumps->guesses == MAX_GUESSES)
		return false;
	*taken = jumps->taken[pc];
	jumps->guess[jumps->guesses++] = (struct guess){jumps->passed, *taken};
	return true;
}

/* The jump at pc goes so, for good; returns whether it had been predicted to go otherwise. */
static inline bool jumps_surprise(struct jumps *jumps, int64_t pc, bool taken)
{
	int64_t before = jumps->passed++;

	jumps->taken[pc] = taken;
	if (jumps->judged == jumps->guesses || jumps->guess[jumps->judged].before != before)
		return false;
	if (jumps->guess[jumps->judged++].taken == taken)
		return false;
	jumps->judged = jumps->guesses; /* what came behind it was another way */
	return true;
}

#endif
