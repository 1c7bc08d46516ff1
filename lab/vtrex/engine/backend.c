#define _GNU_SOURCE /* SOCK_NONBLOCK */
#include "backend.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
