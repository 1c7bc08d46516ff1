#include "buffers.h"

#include <stdio.h>
#include <rte_errno.h>

#define LARGE_FRAMES 8191
#define LARGE_CACHE 256
#define LARGE_BUFFER RTE_ALIGN_CEIL(RTE_PKTMBUF_HEADROOM + MAX_FRAME, RTE_CACHE_LINE_SIZE)

struct rte_mempool *large_pool;

bool buffers_prepare(uint32_t length)
{
	if (length <= SMALL_FRAME || large_pool != NULL)
		return true;
	large_pool = rte_pktmbuf_pool_create("large", LARGE_FRAMES, LARGE_CACHE, 0, LARGE_BUFFER, SOCKET_ID_ANY);
	if (large_pool == NULL)
		fprintf(stderr, "vtrex-engine: no memory for frames of %u bytes: %s\n", length, rte_strerror(rte_errno));
	return large_pool != NULL;
}

const struct rte_mbuf *buffers_flat(const struct rte_mbuf *frame, struct flat *copy)
{
	if (frame->nb_segs == 1)
		return frame;
	if (frame->pkt_len > MAX_FRAME || rte_pktmbuf_read(frame, 0, frame->pkt_len, copy->bytes) == NULL)
		return NULL;
	copy->frame = *frame;
	copy->frame.buf_addr = copy->bytes;
	copy->frame.data_off = 0;
	copy->frame.buf_len = MAX_FRAME;
	copy->frame.data_len = (uint16_t)frame->pkt_len;
	copy->frame.nb_segs = 1;
	copy->frame.next = NULL;
	return &copy->frame;
}
