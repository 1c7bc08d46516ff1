/* A virtio network card (virtio 1.2, 5.1) with one or more queue pairs. The control plane sets it up; the QGM then only sees its queues. */
#ifndef PIX_VIRTIO_NET_H
#define PIX_VIRTIO_NET_H

#include <stdbool.h>
#include "virtio_pci.h"
#include "virtqueue.h"

#define VIRTIO_NET_HEADER 12 /* with VIRTIO_F_VERSION_1, num_buffers included */

struct virtio_net {
    struct virtio_device device;
    uint64_t offered;
    uint8_t mac[8]; /* 6 used */
    uint16_t mtu;   /* bytes of the longest IPv4 packet */
    uint16_t queue_pairs; /* that it has */
};

/* Finds the card's registers and reads its address and MTU. Returns what is wrong, or a null pointer. */
const char *virtio_net_probe(struct virtio_net *net, const struct nic_info *nic);

/*
 * Resets the card and starts it with these `count` queue pairs (1 to net->queue_pairs), whose memory is set. Returns what
 * is wrong, or a null pointer.
 */
const char *virtio_net_start(struct virtio_net *net, struct virtqueue *const *rx, struct virtqueue *const *tx, uint32_t count);

void virtio_net_stop(struct virtio_net *net);

/* Whether the link is up; true where the card does not tell. */
bool virtio_net_link_is_up(const struct virtio_net *net);

#endif
