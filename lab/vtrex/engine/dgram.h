/* One frame a datagram between two named unix sockets: the other end of QEMU's `-netdev dgram`. */
#ifndef VTREX_DGRAM_H
#define VTREX_DGRAM_H

#include "backend.h"

/* Receive at the socket `local`, which is made, and send to the socket `peer`, which may come and go: the link is up
 * while somebody has it open. Returns NULL with errno.
 */
struct backend *dgram_open(const char *local, const char *peer, struct rte_mempool *pool);

#endif
