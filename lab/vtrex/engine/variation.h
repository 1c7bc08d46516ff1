/* Delay variation of a numbered flow: the change of the delay from one frame to the next (RFC 3393; RFC 5481, section 4.1).
 *
 * A pair counts when both of its frames, with successive numbers, came and neither overtook nor was overtaken: when
 * the second has the number after the greatest that had come. Second copies do not count.
 */
#ifndef VTREX_VARIATION_H
#define VTREX_VARIATION_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "sequence.h"

/* In ns. */
struct variation {
	bool begun;
	uint64_t newest; /* delay of the frame with the greatest number that has come */
	uint64_t count, over_range;
	int64_t minimum, maximum; /* of no meaning while count is 0 */
	double absolute_sum;
	uint64_t histogram[HISTOGRAM_BUCKETS]; /* of the absolute values */
};

void variation_begin(struct variation *variation);

/* Account a frame with its delay in ns, and what sequence_note() said of its number. */
void variation_note(struct variation *variation, enum sequence_place place, uint64_t delay);

#endif
