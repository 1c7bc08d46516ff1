#include "pacing.h"

#include <string.h>

#include "clock.h"

struct pacing pacings[MAX_PORTS];

void pacing_begin(struct pacing *pacing) { memset(pacing, 0, sizeof(*pacing)); }

struct percentiles spread_percentiles(const struct spread *spread)
{
	static const double shares[] = {0.5, 0.99, 0.999};
	uint64_t values[RTE_DIM(shares)] = {0}, total = 0, seen = 0;
	for (uint32_t i = 0; i < PACING_BUCKETS; i++)
		total += spread->counts[i];
	uint32_t found = 0;
	for (uint32_t i = 0; i < PACING_BUCKETS && found < RTE_DIM(shares) && total != 0; i++) {
		seen += spread->counts[i];
		while (found < RTE_DIM(shares) && (double)seen >= shares[found] * (double)total)
			values[found++] = ticks_to_ns(histogram_value(i));
	}
	return (struct percentiles){
		.p50 = values[0], .p99 = values[1], .p99_9 = values[2], .maximum = ticks_to_ns(spread->max),
	};
}
