#include "hold.h"

#include <stddef.h>

static bool before(const struct held *one, const struct held *other)
{
	return one->departure != other->departure ? one->departure < other->departure : one->serial < other->serial;
}

void hold_put(struct hold *hold, struct rte_mbuf *frame, double departure)
{
	struct held entry = {departure, hold->serial++, frame};
	uint32_t i = hold->count++;
	for (; i > 0 && before(&entry, &hold->entries[(i - 1) / 2]); i = (i - 1) / 2)
		hold->entries[i] = hold->entries[(i - 1) / 2];
	hold->entries[i] = entry;
}

struct rte_mbuf *hold_take(struct hold *hold, double now)
{
	if (hold->count == 0 || hold->entries[0].departure > now)
		return NULL;
	struct rte_mbuf *first = hold->entries[0].frame;
	struct held last = hold->entries[--hold->count];
	uint32_t i = 0;
	for (uint32_t child = 1; child < hold->count; child = 2 * i + 1) {
		if (child + 1 < hold->count && before(&hold->entries[child + 1], &hold->entries[child]))
			child++;
		if (!before(&hold->entries[child], &last))
			break;
		hold->entries[i] = hold->entries[child];
		i = child;
	}
	hold->entries[i] = last;
	return first;
}
