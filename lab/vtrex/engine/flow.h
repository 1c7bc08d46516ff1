/* Flow statistics: counters for each flow and port, and for latency flows the delay and the order of what arrives.
 *
 * Written by polling threads alone; the control thread reads single words, which are monotonic while a flow lives. What
 * is kept of a flow whichever port its frames come to (delay, order, verification) is written under the flow's lock
 * where there are several polling threads.
 */
#ifndef VTREX_FLOW_H
#define VTREX_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_mbuf.h>

#include "histogram.h"
#include "protocol.h"
#include "sequence.h"
#include "variation.h"

#define MARK_STATS 0xFC00u   /* + hw_id: the mark (ip.h) of a frame of a "stats" flow */
#define MARK_LATENCY 0xFFFFu
#define LATENCY_MAGIC 0xABu
#define FIRST_SEQUENCE 0xFFFFFFFEu /* so that a wrap around is met at once */

/* The last 16 bytes of a frame of a latency flow, little-endian (TRex). */
WIRE_STRUCT latency_header {
	uint8_t magic;
	uint8_t generation;
	uint16_t hw_id;
	uint32_t sequence;
	uint64_t ticks;
};

struct arrival {
	uint64_t ticks;    /* of the poll that found the frame */
	uint32_t number;   /* from 0 */
	uint32_t delay_ns; /* UINT32_MAX: so long or longer */
};

struct latency_flow {
	uint8_t generation;
	bool started;
	uint32_t expected; /* next sequence number */
	uint64_t count, minimum, maximum, over_range; /* ns */
	uint64_t negative; /* frames whose time stamp was later than their arrival; their delay counts as 0 */
	double sum, jitter, previous;
	uint64_t window_end, window_maximum, last_maximum;
	uint64_t dropped, out_of_order, duplicate, sequence_high, sequence_low, old_generation;
	uint64_t sent_before; /* frames sent up to the last start */
	uint64_t lost;        /* frames since then that a full queue of the device lost; they have numbers, too */
	uint64_t numbered;    /* the numbers below it have been given since then */
	struct arrival *arrivals;
	uint64_t arrivals_capacity, arrivals_recorded;
	struct sequence *sequence; /* these three are allocated by flow_prepare() and never freed */
	struct variation *variation;
	uint64_t *histogram;       /* HISTOGRAM_BUCKETS counts */
};

/* A flow's counters on each port, those of a port together: they are written by the worker that has the port. */
extern struct flow_counters flow_counters[MAX_PORTS][ALL_FLOWS];
extern bool flow_active[ALL_FLOWS];
extern struct latency_flow latency_flows[LATENCY_FLOWS];
extern uint64_t arrivals_total;

/* Reserve room for `entries` arrivals in all. Returns false when there is no memory. */
bool flow_setup(uint64_t entries);

/* Control thread: have the memory that a flow needs. False when there is none. */
bool flow_prepare(uint32_t flow);

/* Begin or end the life of a prepared flow; a flow begins with zero counters. */
void flow_set(uint32_t flow, bool active);

/* Forget what earlier trials recorded, and prepare a latency flow for a new start of its stream. */
void flow_arrivals_reset(void);
void flow_latency_begin(uint32_t hw_id, uint8_t generation, uint64_t frames);

/* Frames sent of a flow since it began, on all ports. */
uint64_t flow_sent(uint32_t flow);

/* Account one received frame; false when it belongs to no living flow. `now` is the tick count of its poll. */
bool flow_receive(uint32_t port, const struct rte_mbuf *frame, uint64_t now);

#endif
