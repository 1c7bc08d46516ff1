#define _GNU_SOURCE /* accept4 */
#include "framed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <rte_byteorder.h>
#include <rte_ether.h>

#include "clock.h"

#define LENGTH_SIZE sizeof(rte_be32_t)
#define LONGEST_FRAME 69632 /* QEMU's NET_BUFSIZE: a greater length is none, the peer speaks something else */
#define RECEIVE_ROOM (4 * (LENGTH_SIZE + LONGEST_FRAME))

/* Invariants: without a connection (fd < 0) there is no partial frame, and nothing received.
 * `partial` is ours: a frame of which the socket took `partial_sent` bytes, its length's included. It is sent before
 * all others.
 * received[begin .. end) has come and is not handed on yet; it begins with a length.
 */
struct framed {
	struct backend backend; /* first, so that a pointer to one is a pointer to the other */
	struct sockaddr_un address;
	int listener, fd; /* no listener: we connect */
	struct rte_mbuf *partial;
	size_t partial_sent;
	size_t begin, end;
	uint8_t received[RECEIVE_ROOM];
};

static void disconnect(struct framed *framed)
{
	close(framed->fd);
	framed->fd = -1;
	rte_pktmbuf_free(framed->partial);
	framed->partial = NULL;
	framed->begin = framed->end = 0;
	backend_link(&framed->backend, false);
}

static void try_to_connect(struct framed *framed, uint64_t now)
{
	if (now < framed->backend.next_check)
		return;
	framed->backend.next_check = now + ns_to_ticks(LINK_CHECK_NS);
	if (framed->listener >= 0)
		framed->fd = accept4(framed->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	else {
		framed->fd = backend_socket(SOCK_STREAM, NULL);
		if (connect(framed->fd, (const struct sockaddr *)&framed->address, sizeof(framed->address)) != 0) {
			close(framed->fd);
			framed->fd = -1;
		}
	}
	backend_link(&framed->backend, framed->fd >= 0);
}

/* Write what can be written; returns the number of bytes, 0 when the socket is full. Or when the peer has gone: that is
 * for reading to find out, which comes upon it only after the last frame that the peer has sent.
 */
static size_t write_parts(struct framed *framed, struct iovec *parts, size_t count)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
	ssize_t written = sendmsg(framed->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	return written > 0 ? (size_t)written : 0;
}

/* Describe a frame behind its length from byte `skip` of both on; returns the number of parts. */
static uint32_t describe(const struct rte_mbuf *frame, size_t skip, rte_be32_t *length, struct iovec *parts)
{
	if (skip >= LENGTH_SIZE)
		return backend_parts(frame, (uint32_t)(skip - LENGTH_SIZE), parts);
	*length = rte_cpu_to_be_32(frame->pkt_len);
	parts[0] = (struct iovec){(uint8_t *)length + skip, LENGTH_SIZE - skip};
	return 1 + backend_parts(frame, 0, parts + 1);
}

/* Go on with the frame that the socket took a part of; false while there is still some of it left. */
static bool finish_partial(struct framed *framed)
{
	struct iovec parts[1 + FRAME_PARTS];
	rte_be32_t length;
	if (framed->partial == NULL)
		return true;
	uint32_t count = describe(framed->partial, framed->partial_sent, &length, parts);
	framed->partial_sent += write_parts(framed, parts, count);
	if (framed->partial_sent < LENGTH_SIZE + framed->partial->pkt_len)
		return false;
	rte_pktmbuf_free(framed->partial);
	framed->partial = NULL;
	return true;
}

static uint16_t framed_send(struct backend *backend, struct rte_mbuf **frames, uint16_t count)
{
	struct framed *framed = (struct framed *)backend;
	struct iovec parts[BURST * (1 + FRAME_PARTS)];
	rte_be32_t lengths[BURST];
	uint32_t part_count = 0;
	uint16_t taken = 0;
	if (framed->fd < 0 || !finish_partial(framed))
		return 0;
	for (uint16_t i = 0; i < count; i++)
		part_count += describe(frames[i], 0, &lengths[i], parts + part_count);
	size_t written = write_parts(framed, parts, RTE_MIN(part_count, 1024u)); /* IOV_MAX */
	for (; taken < count && written >= LENGTH_SIZE + frames[taken]->pkt_len; taken++)
		written -= LENGTH_SIZE + frames[taken]->pkt_len;
	rte_pktmbuf_free_bulk(frames, taken);
	if (written > 0) {
		framed->partial = frames[taken++];
		framed->partial_sent = written;
	}
	return taken;
}

/* Read behind what is there. */
static void read_more(struct framed *framed)
{
	memmove(framed->received, framed->received + framed->begin, framed->end - framed->begin);
	framed->end -= framed->begin;
	framed->begin = 0;
	ssize_t came = recv(framed->fd, framed->received + framed->end, RECEIVE_ROOM - framed->end, MSG_DONTWAIT);
	if (came > 0)
		framed->end += (size_t)came;
	else if (came == 0 || (errno != EAGAIN && errno != EINTR))
		disconnect(framed);
}

/* Take the next frame that has come as a whole; NULL when there is none. What is no frame is left out. */
static struct rte_mbuf *next_frame(struct framed *framed)
{
	while (framed->end - framed->begin >= LENGTH_SIZE) {
		rte_be32_t field;
		memcpy(&field, framed->received + framed->begin, sizeof(field));
		uint32_t length = rte_be_to_cpu_32(field);
		if (length > LONGEST_FRAME) {
			disconnect(framed);
			return NULL;
		}
		if (framed->end - framed->begin < LENGTH_SIZE + length)
			return NULL;
		const uint8_t *bytes = framed->received + framed->begin + LENGTH_SIZE;
		framed->begin += LENGTH_SIZE + length;
		bool good = length >= RTE_ETHER_HDR_LEN && length <= MAX_FRAME;
		struct rte_mbuf *frame = good ? rte_pktmbuf_alloc(framed->backend.pool) : NULL;
		if (frame != NULL && backend_append(frame, framed->backend.pool, bytes, length))
			return frame;
		rte_pktmbuf_free(frame);
		atomic_fetch_add(&framed->backend.missed, 1);
	}
	return NULL;
}

static uint16_t framed_receive(struct backend *backend, struct rte_mbuf **frames)
{
	struct framed *framed = (struct framed *)backend;
	if (framed->fd < 0)
		try_to_connect(framed, clock_ticks());
	if (framed->fd >= 0)
		(void)finish_partial(framed);
	uint16_t count = 0;
	bool read = false;
	while (framed->fd >= 0 && count < BURST) {
		frames[count] = next_frame(framed);
		if (frames[count] != NULL)
			count++;
		else if (read || framed->fd < 0)
			break;
		else {
			read_more(framed);
			read = true;
		}
	}
	return count;
}

static void framed_close(struct backend *backend)
{
	struct framed *framed = (struct framed *)backend;
	if (framed->fd >= 0)
		disconnect(framed);
	if (framed->listener >= 0) {
		close(framed->listener);
		unlink(framed->address.sun_path);
	}
	free(framed);
}

struct backend *framed_open(const char *path, bool server, struct rte_mempool *pool)
{
	struct framed *framed = calloc(1, sizeof(*framed));
	if (framed == NULL)
		return NULL;
	framed->backend = (struct backend){
		.driver = "stream", .receive = framed_receive, .send = framed_send, .close = framed_close, .pool = pool,
	};
	framed->address.sun_family = AF_UNIX;
	snprintf(framed->address.sun_path, sizeof(framed->address.sun_path), "%s", path);
	framed->listener = framed->fd = -1;
	if (server) {
		framed->listener = backend_socket(SOCK_STREAM, path);
		if (framed->listener < 0 || listen(framed->listener, 1) != 0) {
			free(framed);
			return NULL;
		}
	}
	return &framed->backend;
}
