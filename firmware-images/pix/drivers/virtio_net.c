#include "virtio_net.h"

#define VIRTIO_NET_F_MTU (1ull << 3)
#define VIRTIO_NET_F_MAC (1ull << 5)
#define VIRTIO_NET_F_STATUS (1ull << 16)
#define VIRTIO_NET_S_LINK_UP 1
#define CONFIG_MAC 0
#define CONFIG_STATUS 6
#define CONFIG_MTU 10
#define RECEIVE_QUEUE 0
#define TRANSMIT_QUEUE 1
#define MTU_DEFAULT 1500
#define MTU_MIN 68 /* RFC 791, 3.2 */

const char *virtio_net_probe(struct virtio_net *net, const struct nic_info *nic)
{
    const char *missing = virtio_pci_find(&net->device, nic);
    if (missing)
        return missing;
    if (virtio_reset(&net->device))
        return "the card does not reset";
    net->offered = virtio_offered_features(&net->device);
    if (!(net->offered & VIRTIO_F_VERSION_1) || !(net->offered & VIRTIO_NET_F_MAC))
        return "the card does not offer VERSION_1 and MAC";
    for (unsigned i = 0; i < 6; i++)
        net->mac[i] = net->device.config[CONFIG_MAC + i];
    net->mtu = MTU_DEFAULT;
    if (net->offered & VIRTIO_NET_F_MTU) {
        uint16_t mtu = *(volatile uint16_t *)(net->device.config + CONFIG_MTU);
        if (mtu >= MTU_MIN && mtu <= MTU_DEFAULT)
            net->mtu = mtu;
        else
            net->offered &= ~VIRTIO_NET_F_MTU; /* buffers hold no more than the default */
    }
    return 0;
}

static const char *set_up_queue(struct virtio_net *net, struct virtqueue *queue, uint16_t index, uint16_t desc_flags)
{
    uint16_t size = virtio_select_queue(&net->device, index);
    if (size > QUEUE_LENGTH_MAX)
        size = QUEUE_LENGTH_MAX;
    if (size == 0 || (size & (size - 1)))
        return "the card has no such queue";
    virtqueue_init(queue, size, index, desc_flags);
    queue->notify = virtio_enable_queue(&net->device, size, queue->memory->desc, &queue->memory->avail, &queue->memory->used);
    return 0;
}

const char *virtio_net_start(struct virtio_net *net, struct virtqueue *rx, struct virtqueue *tx)
{
    uint64_t wanted = VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU;
    if (virtio_reset(&net->device))
        return "the card does not reset";
    if (virtio_negotiate(&net->device, net->offered & wanted))
        return "the card refuses the features";
    const char *wrong = set_up_queue(net, rx, RECEIVE_QUEUE, VIRTQ_DESC_F_WRITE);
    if (!wrong)
        wrong = set_up_queue(net, tx, TRANSMIT_QUEUE, 0);
    if (!wrong)
        virtio_set_driver_ok(&net->device);
    return wrong;
}

void virtio_net_stop(struct virtio_net *net)
{
    virtio_reset(&net->device);
}

bool virtio_net_link_is_up(const struct virtio_net *net)
{
    if (!(net->offered & VIRTIO_NET_F_STATUS))
        return true;
    return *(volatile uint16_t *)(net->device.config + CONFIG_STATUS) & VIRTIO_NET_S_LINK_UP;
}
