/* Buffers for frames that are sent. Nearly all fit those of tx_pool; those for longer ones (jumbo frames) cost much
 * memory and are made when a stream first needs them. A frame is never in two buffers when it is sent; one that is
 * received may be.
 */
#ifndef VTREX_BUFFERS_H
#define VTREX_BUFFERS_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_mbuf.h>

#include "protocol.h"

#define SMALL_FRAME RTE_MBUF_DEFAULT_DATAROOM

extern struct rte_mempool *large_pool;

/* Control thread: make sure that there are buffers for frames of this length; false when there is no memory. */
bool buffers_prepare(uint32_t length);

/* A received frame in one piece: itself, or a copy in `copy`, whose bytes are `bytes`. It must not be freed. NULL: it is
 * longer than any that is sent.
 */
struct flat {
	struct rte_mbuf frame;
	uint8_t bytes[MAX_FRAME];
};

const struct rte_mbuf *buffers_flat(const struct rte_mbuf *frame, struct flat *copy);

#endif
