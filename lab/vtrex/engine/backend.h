/* A port's device that no driver of DPDK knows: frames over a unix socket. Devices of DPDK have none and are called
 * directly (port.c), so that they pay nothing for this.
 *
 * All functions but close() are the poll thread's, never wait, and keep rte_eth_rx_burst()'s and rte_eth_tx_burst()'s
 * rules: who takes a frame owns it; what is not taken stays the caller's.
 */
#ifndef VTREX_BACKEND_H
#define VTREX_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <rte_mbuf.h>

#include "protocol.h"

#define LINK_CHECK_NS 20e6 /* how often a backend looks whether its far end has come or gone */

struct backend {
	const char *driver;
	/* Take what has come, at most BURST frames. Called all the time, also to see to the link. */
	uint16_t (*receive)(struct backend *backend, struct rte_mbuf **frames);
	/* Offer at most BURST frames; returns how many were taken, 0 without a link. */
	uint16_t (*send)(struct backend *backend, struct rte_mbuf **frames, uint16_t count);
	/* After the poll thread has ended: let go of everything, the socket's name too. */
	void (*close)(struct backend *backend);
	struct rte_mempool *pool;  /* of received frames */
	uint32_t port;             /* which it is */
	atomic_bool link_up;       /* read by the control thread; set by backend_link() */
	_Atomic uint64_t missed;   /* frames that came and were too short, too long, or met no free buffer */
	uint64_t next_check;       /* tick of the next look at the link */
};

/* Most parts that one frame can have: the longest of 64 KB in buffers of 2 KB. */
#define FRAME_PARTS 32

/* Note the state of the link. */
void backend_link(struct backend *backend, bool up);

/* Describe a frame from byte `skip` on; returns the number of parts, at most FRAME_PARTS. */
uint32_t backend_parts(const struct rte_mbuf *frame, uint32_t skip, struct iovec *parts);

/* Put bytes at the end of a frame, in further buffers where the last is full; false when there is none left. */
bool backend_append(struct rte_mbuf *frame, struct rte_mempool *pool, const uint8_t *bytes, uint32_t length);

/* Make a socket that never waits, of SOCK_DGRAM or SOCK_STREAM, with a name for others to find (NULL: none), replacing
 * what bears that name. Returns -1 with errno.
 */
int backend_socket(int type, const char *path);

#endif
