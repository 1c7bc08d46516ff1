/* The queues of a port that has several, as a NIC of the DUT would fill them: by receive side scaling, which gives all
 * frames with the same addresses and ports to the same queue, in their order.
 *
 * A queue that has been refusing frames for longer than a port may is full: what it has no room for is lost then, as a
 * NIC loses it, and the frames of the other queues go on. Until it has taken all for as long again it counts as full.
 * Before, its frames wait, and so do those behind them.
 */
#ifndef VTREX_QUEUES_H
#define VTREX_QUEUES_H

#include <stdint.h>
#include <rte_mbuf.h>

#include "protocol.h"

#define MAX_QUEUES 16

struct queues {
	uint16_t count;
	uint64_t full_since[MAX_QUEUES]; /* tick of the first refusal, 0 = not full */
	uint64_t refused_at[MAX_QUEUES]; /* of the last one */
	uint8_t full_bursts[MAX_QUEUES]; /* of received frames: poll.c */
};

/* The queue that a frame belongs to. */
uint16_t queues_of(const struct queues *queues, const struct rte_mbuf *frame);

/* What became of frames (at most BURST) that were offered: bit i stands for frames[i] as it was offered. The lost ones
 * are freed; those that are neither taken nor lost are now the last of `frames`, in their order.
 */
struct outcome {
	uint32_t taken, lost;
};

/* Offer frames, each to its queue; lost is what a full queue has no room for. */
struct outcome queues_send(struct queues *queues, uint16_t device, struct rte_mbuf **frames, uint32_t count,
			   uint64_t now);

#endif
