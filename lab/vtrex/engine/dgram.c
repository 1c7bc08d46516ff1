#define _GNU_SOURCE /* recvmmsg, sendmmsg */
#include "dgram.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <rte_ether.h>

#include "clock.h"

/* The socket is not connected: it then receives from a peer that has begun again without doing anything for it, and
 * sends by name. `probe` is another one, connected again and again, as that tells whether the peer lives.
 *
 * Invariant: buffers[0 .. ready) are ours and empty; parts[i][0] describes buffers[i], and parts[i][1] rests[i], which
 * takes the rest of a frame that is longer.
 */
struct dgram {
	struct backend backend; /* first, so that a pointer to one is a pointer to the other */
	int fd, probe;
	struct sockaddr_un local, peer;
	struct rte_mbuf *buffers[BURST];
	struct iovec parts[BURST][2];
	uint8_t rests[BURST][MAX_FRAME];
	uint32_t ready;
};

static void check_link(struct dgram *dgram, uint64_t now)
{
	struct backend *backend = &dgram->backend;
	if (now < backend->next_check)
		return;
	backend->next_check = now + ns_to_ticks(LINK_CHECK_NS);
	int failed = connect(dgram->probe, (const struct sockaddr *)&dgram->peer, sizeof(dgram->peer));
	backend_link(backend, failed == 0 || errno == EPERM); /* EPERM: it lives, and listens to us alone */
}

static void refill(struct dgram *dgram)
{
	if (dgram->ready == BURST || rte_pktmbuf_alloc_bulk(dgram->backend.pool, dgram->buffers + dgram->ready,
							    BURST - dgram->ready) != 0)
		return;
	for (; dgram->ready < BURST; dgram->ready++) {
		struct rte_mbuf *buffer = dgram->buffers[dgram->ready];
		dgram->parts[dgram->ready][0] =
			(struct iovec){rte_pktmbuf_mtod(buffer, void *), rte_pktmbuf_tailroom(buffer)};
		dgram->parts[dgram->ready][1] = (struct iovec){dgram->rests[dgram->ready], MAX_FRAME};
	}
}

/* Give a frame its length and what has come of it behind its buffer; false when it is none, or there is no memory. */
static bool complete(struct dgram *dgram, struct rte_mbuf *frame, uint32_t length, const uint8_t *rest)
{
	uint32_t first = RTE_MIN(length, (uint32_t)rte_pktmbuf_tailroom(frame));
	if (length < RTE_ETHER_HDR_LEN || length > MAX_FRAME)
		return false;
	rte_pktmbuf_append(frame, (uint16_t)first);
	return backend_append(frame, dgram->backend.pool, rest, length - first);
}

static uint16_t dgram_receive(struct backend *backend, struct rte_mbuf **frames)
{
	struct dgram *dgram = (struct dgram *)backend;
	struct mmsghdr messages[BURST] = {0};
	check_link(dgram, clock_ticks());
	refill(dgram);
	for (uint32_t i = 0; i < dgram->ready; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_iov = dgram->parts[i], .msg_iovlen = 2};
	int came = recvmmsg(dgram->fd, messages, dgram->ready, MSG_DONTWAIT, NULL);
	if (came <= 0)
		return 0;
	uint16_t count = 0;
	for (uint32_t i = 0; i < (uint32_t)came; i++) {
		frames[count] = dgram->buffers[i];
		bool whole = (messages[i].msg_hdr.msg_flags & MSG_TRUNC) == 0;
		if (whole && complete(dgram, frames[count], messages[i].msg_len, dgram->rests[i])) {
			count++;
			continue;
		}
		atomic_fetch_add(&backend->missed, 1);
		rte_pktmbuf_free(frames[count]);
	}
	dgram->ready -= (uint32_t)came;
	for (uint32_t i = 0; i < dgram->ready; i++) {
		dgram->buffers[i] = dgram->buffers[i + (uint32_t)came];
		dgram->parts[i][0] = dgram->parts[i + (uint32_t)came][0];
	}
	return count;
}

static uint16_t dgram_send(struct backend *backend, struct rte_mbuf **frames, uint16_t count)
{
	struct dgram *dgram = (struct dgram *)backend;
	struct mmsghdr messages[BURST] = {0};
	struct iovec parts[BURST][FRAME_PARTS];
	if (!atomic_load(&backend->link_up))
		return 0;
	for (uint16_t i = 0; i < count; i++)
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &dgram->peer, .msg_namelen = sizeof(dgram->peer),
			.msg_iov = parts[i], .msg_iovlen = backend_parts(frames[i], 0, parts[i]),
		};
	int taken = sendmmsg(dgram->fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (taken <= 0) /* its queue is full, or it is gone: the next look at the link tells */
		return 0;
	rte_pktmbuf_free_bulk(frames, (unsigned int)taken);
	return (uint16_t)taken;
}

static void dgram_close(struct backend *backend)
{
	struct dgram *dgram = (struct dgram *)backend;
	rte_pktmbuf_free_bulk(dgram->buffers, dgram->ready);
	close(dgram->probe);
	close(dgram->fd);
	unlink(dgram->local.sun_path);
	free(dgram);
}

struct backend *dgram_open(const char *local, const char *peer, struct rte_mempool *pool)
{
	struct dgram *dgram = calloc(1, sizeof(*dgram));
	if (dgram == NULL)
		return NULL;
	dgram->backend = (struct backend){
		.driver = "dgram", .receive = dgram_receive, .send = dgram_send, .close = dgram_close, .pool = pool,
	};
	dgram->local.sun_family = dgram->peer.sun_family = AF_UNIX;
	snprintf(dgram->local.sun_path, sizeof(dgram->local.sun_path), "%s", local);
	snprintf(dgram->peer.sun_path, sizeof(dgram->peer.sun_path), "%s", peer);
	dgram->fd = backend_socket(SOCK_DGRAM, local);
	dgram->probe = backend_socket(SOCK_DGRAM, NULL);
	if (dgram->fd >= 0 && dgram->probe >= 0)
		return &dgram->backend;
	free(dgram); /* the process ends: its sockets close */
	return NULL;
}
