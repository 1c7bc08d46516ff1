#define _GNU_SOURCE /* SOCK_NONBLOCK */
#include "backend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "link.h"

void backend_link(struct backend *backend, bool up)
{
	bool was_up = atomic_exchange(&backend->link_up, up);
	if (was_up && !up)
		link_went_down(backend->port);
}

uint32_t backend_parts(const struct rte_mbuf *frame, uint32_t skip, struct iovec *parts)
{
	uint32_t count = 0;
	for (; frame != NULL && count < FRAME_PARTS; frame = frame->next) {
		if (skip >= frame->data_len) {
			skip -= frame->data_len;
			continue;
		}
		parts[count].iov_base = rte_pktmbuf_mtod_offset(frame, uint8_t *, skip);
		parts[count++].iov_len = frame->data_len - skip;
		skip = 0;
	}
	return count;
}

bool backend_append(struct rte_mbuf *frame, struct rte_mempool *pool, const uint8_t *bytes, uint32_t length)
{
	while (length != 0) {
		uint32_t part = RTE_MIN(length, (uint32_t)rte_pktmbuf_tailroom(rte_pktmbuf_lastseg(frame)));
		if (part != 0) {
			memcpy(rte_pktmbuf_append(frame, (uint16_t)part), bytes, part);
			bytes += part;
			length -= part;
			continue;
		}
		struct rte_mbuf *next = rte_pktmbuf_alloc(pool);
		if (next == NULL || rte_pktmbuf_chain(frame, next) != 0) {
			rte_pktmbuf_free(next);
			return false;
		}
	}
	return true;
}

int backend_socket(int type, const char *path)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || path == NULL)
		return fd;
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	unlink(path); /* the server has made sure that nobody uses it */
	if (bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0)
		return fd;
	int reason = errno;
	close(fd);
	errno = reason;
	return -1;
}
