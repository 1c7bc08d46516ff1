#include "variation.h"

#include <string.h>

void variation_begin(struct variation *variation) { memset(variation, 0, sizeof(*variation)); }

static void account(struct variation *variation, int64_t change)
{
	uint64_t size = change < 0 ? (uint64_t)-change : (uint64_t)change;
	if (variation->count == 0 || change < variation->minimum)
		variation->minimum = change;
	if (variation->count == 0 || change > variation->maximum)
		variation->maximum = change;
	variation->count++;
	variation->absolute_sum += (double)size;
	variation->over_range += size > HISTOGRAM_MAX_NS;
	variation->histogram[histogram_index(size > HISTOGRAM_MAX_NS ? HISTOGRAM_MAX_NS : size)]++;
}

void variation_note(struct variation *variation, enum sequence_place place, uint64_t delay)
{
	if (place == SEQUENCE_BEHIND)
		return;
	if (place == SEQUENCE_NEXT && variation->begun)
		account(variation, (int64_t)(delay - variation->newest));
	variation->newest = delay;
	variation->begun = true;
}
