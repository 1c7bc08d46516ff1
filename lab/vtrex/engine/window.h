/* Which numbers of a verified flow have come, and which never did.
 *
 * A number is looked at when it leaves the window: whatever came late until then is no loss, so what is told as lost is
 * exact, however frames were reordered. A number that comes after it has left the window cannot be told from a duplicate.
 */
#ifndef VTREX_WINDOW_H
#define VTREX_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "losses.h"

/* Invariants: `seen` tells of the numbers from newest - size + 64 to newest - 1 which have come. Its words are entered,
 * and cleared, when the first number of one comes; `left` has what is missing of the 64 numbers that it had before.
 */
struct window {
	uint64_t newest; /* the greatest number that has come, plus one */
	uint64_t size;   /* a power of two, at least 64 */
	uint64_t *seen;  /* a bit for each number modulo size */
	struct losses left;
};

/* Enter all words up to that of a number that has just come. */
void window_enter(struct window *window, uint64_t number);

/* The missing ones of the numbers below `given`, those that have come after the last one included. */
struct losses window_losses(const struct window *window, uint64_t given);

static inline bool window_has_left(const struct window *window, uint64_t number)
{
	return number + window->size - 64 < window->newest;
}

/* Note a number that has not left the window. True when it comes for the first time; false for a duplicate. */
static inline bool window_note(struct window *window, uint64_t number)
{
	if (__builtin_expect((window->newest + 63) / 64 <= number / 64, 0))
		window_enter(window, number);
	if (__builtin_expect(number >= window->newest, 1))
		window->newest = number + 1;
	uint64_t *word = &window->seen[number / 64 & (window->size / 64 - 1)], before = *word, bit = 1ull << (number % 64);
	*word = before | bit;
	return (before & bit) == 0;
}

#endif
