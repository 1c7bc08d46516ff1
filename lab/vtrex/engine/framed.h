/* Frames on a unix stream socket, each behind its length (32 bits, big-endian): the other end of QEMU's
 * `-netdev stream`.
 */
#ifndef VTREX_FRAMED_H
#define VTREX_FRAMED_H

#include "backend.h"

/* Listen at `path` and have one peer at a time, or (`server` false) connect to who listens there; either way again
 * whenever the peer has gone. The link is up while there is a connection. Returns NULL with errno.
 */
struct backend *framed_open(const char *path, bool server, struct rte_mempool *pool);

#endif
