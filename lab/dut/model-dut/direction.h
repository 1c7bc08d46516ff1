/* One direction: what comes in by a port, until it has gone out by the next one, and the truth about it. */
#ifndef DIRECTION_H
#define DIRECTION_H

#include <stdint.h>

#include "behaviour.h"
#include "hold.h"

#define MAX_PORTS 8
#define NUMBERS_MOST 65536u
#define ETHER_ADDRESSES 12

/* A direction reads no more frames while all of them together hold so many: the link then fills, and who sends there
 * sees it. What one turn adds to it fits into the heap and the queue of each direction.
 */
#define HELD_LIMIT 32768u

/* Numbers of frames that something happened to; of more than NUMBERS_MOST, the first. */
struct numbers {
	uint64_t numbers[NUMBERS_MOST];
	uint32_t count;
};

/* What happened to the frames since the begin. Once nothing is held any more:
 * sent = received - lost_* + duplicated.
 */
struct truth {
	uint64_t received, received_bytes, sent, sent_bytes;
	uint64_t lost_asked, lost_capacity, lost_dead;
	uint64_t duplicated;
	uint64_t moved;   /* as far as was asked */
	uint64_t flushed; /* to be moved, but too few frames came behind them */
	struct numbers lost_numbers, duplicated_numbers, moved_numbers;
};

/* A frame that goes out once `due` frames have passed. */
struct moved {
	struct rte_mbuf *frame;
	uint64_t number, due;
};

struct direction {
	uint16_t in, out;
	unsigned char addresses[ETHER_ADDRESSES]; /* destination and source of what goes out */
	struct truth truth;
	struct picker lose, duplicate, move;
	uint64_t passed;         /* frames that went on in their place */
	double last_departure;   /* of these */
	double last_arrival;
	struct hold hold;
	/* Queues: entries first to first + count - 1, modulo HOLD_MOST. */
	struct moved moved[HOLD_MOST];
	uint32_t moved_first, moved_count;
	struct rte_mbuf *ready[HOLD_MOST];
	uint32_t ready_first, ready_count;
};

extern struct direction *directions[MAX_PORTS];
extern uint32_t direction_count;

/* While the time (ticks since the begin) is below it, whatever arrives is lost. */
extern double dead_until;

/* Forget all frames and counts. */
void direction_begin(struct direction *direction);

/* Number of frames that it holds. */
uint32_t direction_held(const struct direction *direction);

/* Take a frame that arrived about `at` and is here `now` (ticks since the begin). */
void direction_take(struct direction *direction, struct rte_mbuf *frame, double at, double now);

/* Send what is due. */
void direction_send(struct direction *direction, double now);

#endif
