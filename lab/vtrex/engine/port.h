/* A port: one Ethernet device with as many queues each way as it has, what is sent on it now, and its counters.
 *
 * Everything here belongs to the worker that has the port (worker.h); the control thread reads counters and changes the
 * rest by poll_run(). Ports do not share cache lines.
 */
#ifndef VTREX_PORT_H
#define VTREX_PORT_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_ether.h>
#include <rte_mempool.h>

#include "agenda.h"
#include "backend.h"
#include "queues.h"
#include "stream.h"
#include "trial.h"

/* What is sent in turn: frames leave in the order in which they were put into the batch, the batch before what is still
 * on the agenda. A port has a lane for its latency streams, which goes first, and one for all others.
 */
struct segment { /* frames of one stream, side by side in a batch */
	struct stream *stream;
	uint32_t frames;
	uint64_t due; /* tick at which the first of them was */
};

struct lane {
	struct agenda agenda;
	struct rte_mbuf *frames[BURST]; /* the batch: built, not yet taken by the device; `count` from `first` on */
	uint16_t sizes[BURST]; /* bytes of those of streams that trim their frames */
	struct segment segments[BURST]; /* whose they are, in the same order; `segment_count` from `first_segment` on */
	uint32_t first, count, first_segment, segment_count;
};

enum { LANE_LATENCY, LANE_BULK, LANES };

struct tally { /* frames of schedules: intended = those that became due */
	uint64_t intended, sent, queue_full, late;
};

struct port {
	uint16_t device;         /* of DPDK */
	struct backend *backend; /* not NULL: used in its place */
	uint32_t index;
	struct queues queues;
	uint32_t longest_frame; /* that the device can send, without FCS */
	uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes, rx_unknown, tx_given_up, tx_refused;
	struct profile profiles[MAX_PROFILES];
	struct lane lanes[LANES];
	uint32_t active_count; /* of all profiles together; > 0: the port transmits */
	bool ended; /* a profile has ended, and nobody has been told yet */
	struct watch *watch; /* of the worker that has this port */
	uint64_t busy; /* ticks of the loop's steps that moved a frame */
	uint64_t next_due;
	uint64_t full_since; /* tick since when the device has not taken all that was offered, 0 = it does */
	uint64_t offered_at, refused_at; /* ticks of the last offer to the device, and of the last not wholly taken */
	uint64_t gaps_made_up; /* trial.gap_total when the port was last on schedule: what came since excuses the device */
	uint32_t tx_captures, rx_captures;
	uint64_t first_left, last_left; /* ticks at which the device took the first and the last frames of this trial */
	uint64_t trial; /* number of the trial in which the port last began to transmit */
	struct tally past; /* of this trial, by profiles that have been started anew since */
	uint64_t rx_packets_before, rx_unknown_before; /* at the begin of the trial */
	struct rte_ether_addr mac;
	rte_be32_t ipv4; /* 0: does not answer ARP */
} __rte_cache_aligned;

struct port_limits {
	uint64_t full_wait; /* ticks for which a device may refuse frames before they are given up */
	uint64_t late;      /* ticks after which a frame is too late to be sent */
};

extern struct port ports[MAX_PORTS];
extern uint32_t port_count;
extern struct rte_mempool *tx_pool;
extern struct port_limits port_limits;

/* Take what has come in a queue, at most BURST; returns the number of frames. */
uint32_t port_receive(struct port *port, uint16_t queue);

/* Offer frames (at most BURST) to the device. */
struct outcome port_offer(struct port *port, struct rte_mbuf **frames, uint32_t count);

/* Hand frames (at most BURST) over at once, without a schedule; returns how many are done with. The others, the last
 * ones, stay the caller's.
 */
uint32_t port_send(struct port *port, struct rte_mbuf **frames, uint32_t count);

#endif
