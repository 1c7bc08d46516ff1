/* Which frames of a numbered flow have come, and in what order: exact counts in the terms of RFC 4737, while they come.
 *
 * Numbers count from 0. A frame is a duplicate when its number has come before; a first copy is reordered (section 3.3)
 * when a greater number has come before it, and its extent (4.2) is the number of first copies since the earliest of
 * these, itself not counted in. Lost are the numbers given less the first copies, so also those of the last frames.
 *
 * Bounds, beyond which a frame is counted by itself and never guessed at: one whose number is SEQUENCE_WINDOW or more
 * below the greatest is `too_old` to be told from a duplicate, one whose gap in the numbers was followed by SEQUENCE_GAPS
 * others counts as reordered with an extent that is `unknown`, and one whose number was not given yet is `never_sent`.
 * A loss of 2^31 frames in a row, a quarter of an hour of a latency flow at its fastest, makes what follows too old.
 */
#ifndef VTREX_SEQUENCE_H
#define VTREX_SEQUENCE_H

#include <stdint.h>

#include "histogram.h"

#define SEQUENCE_BITS_KEPT (1u << 20)
#define SEQUENCE_WINDOW (SEQUENCE_BITS_KEPT - 64)
#define SEQUENCE_GAPS 4096u
#define SEQUENCE_EXTENTS (12 * HISTOGRAM_HALF) /* an extent is below twice the kept bits: see histogram_index() */

/* Invariants: `seen` tells of the numbers from newest - SEQUENCE_WINDOW to newest - 1 which have come; its words are
 * cleared when the first number of one comes. `gaps` holds the last SEQUENCE_GAPS runs of numbers that were skipped, in
 * rising order: each number below `newest` that has not come is in one of them or in one forgotten.
 */
struct sequence {
	uint64_t newest; /* the greatest number that has come, plus one */
	uint64_t distinct, duplicates, reordered, too_old, never_sent;
	uint64_t extent_max, extent_sum, extent_unknown;
	uint64_t gap_count; /* of all, forgotten ones included */
	struct {
		uint64_t first, end;   /* the numbers from `first` to `end` - 1 were skipped when `end` came */
		uint64_t position; /* of `end` among the first copies, from 0 */
	} gaps[SEQUENCE_GAPS];
	uint64_t extents[SEQUENCE_EXTENTS]; /* reordered frames by histogram_index() of their extent; exact below 2048 */
	uint64_t seen[SEQUENCE_BITS_KEPT / 64];
};

/* Forget all that came; the numbers begin at 0 again. */
void sequence_begin(struct sequence *sequence);

/* Where a number is: right after the greatest that had come, further on, or elsewhere (late, a copy, or never given). */
enum sequence_place { SEQUENCE_NEXT, SEQUENCE_AHEAD, SEQUENCE_BEHIND };

/* Account a frame that carries the lower 32 bits of its number; the numbers below `given` have been given to frames. */
enum sequence_place sequence_note(struct sequence *sequence, uint32_t number, uint64_t given);

#endif
