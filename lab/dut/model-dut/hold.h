/* Frames that wait for their departure: a heap, the earliest first, equal times in the order in which they came. */
#ifndef HOLD_H
#define HOLD_H

#include <stdbool.h>
#include <stdint.h>

#define HOLD_MOST 65536u

struct rte_mbuf;

struct held {
	double departure;
	uint64_t serial;
	struct rte_mbuf *frame;
};

/* Invariant: no entry goes before its parent, (i - 1) / 2. */
struct hold {
	struct held entries[HOLD_MOST];
	uint32_t count;
	uint64_t serial;
};

/* Put a frame in; there are fewer than HOLD_MOST. */
void hold_put(struct hold *hold, struct rte_mbuf *frame, double departure);

/* Take out the first frame whose departure has come; NULL when there is none. */
struct rte_mbuf *hold_take(struct hold *hold, double now);

#endif
