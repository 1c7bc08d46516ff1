#include "virtio_net.h"

#include "io.h"

#define VIRTIO_NET_F_MTU (1ull << 3)
#define VIRTIO_NET_F_MAC (1ull << 5)
#define VIRTIO_NET_F_STATUS (1ull << 16)
#define VIRTIO_NET_F_CTRL_VQ (1ull << 17)
#define VIRTIO_NET_F_MQ (1ull << 22)
#define VIRTIO_NET_S_LINK_UP 1
#define VIRTIO_NET_CTRL_MQ 4
#define VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET 0
#define VIRTIO_NET_OK 0
#define CONFIG_MAC 0
#define CONFIG_STATUS 6
#define CONFIG_MAX_VIRTQUEUE_PAIRS 8
#define CONFIG_MTU 10
#define CONTROL_POLLS 10000000
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
    net->queue_pairs = 1;
    if ((net->offered & (VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_VQ)) == (VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_VQ))
        net->queue_pairs = *(volatile uint16_t *)(net->device.config + CONFIG_MAX_VIRTQUEUE_PAIRS);
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

/*
 * Tells the card how many queue pairs to use (5.1.6.5.5) through its control queue, and waits for its answer: three
 * descriptors, for class and command, the number, and the answer.
 */
static const char *set_queue_pairs(struct virtio_net *net, uint16_t count)
{
    static struct virtqueue_memory memory;
    static struct {
        uint8_t class, command;
        uint16_t pairs;
        volatile uint8_t answer;
    } request;
    struct virtqueue control = {.memory = &memory};
    const char *wrong = set_up_queue(net, &control, (uint16_t)(2 * net->queue_pairs), 0);
    if (wrong)
        return wrong;
    virtio_set_driver_ok(&net->device);
    request.class = VIRTIO_NET_CTRL_MQ;
    request.command = VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET;
    request.pairs = count;
    request.answer = 0xff;
    memory.desc[0] = (struct virtq_desc){(uint64_t)&request, 2, VIRTQ_DESC_F_NEXT, 1};
    memory.desc[1] = (struct virtq_desc){(uint64_t)&request.pairs, 2, VIRTQ_DESC_F_NEXT, 2};
    memory.desc[2] = (struct virtq_desc){(uint64_t)&request.answer, 1, VIRTQ_DESC_F_WRITE, 0};
    virtqueue_publish(&control, 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *control.notify = control.index;
    for (uint32_t i = 0; i < CONTROL_POLLS; i++) {
        if (virtqueue_returned(&control, 0))
            return request.answer == VIRTIO_NET_OK ? 0 : "the card refuses as many queue pairs";
        cpu_relax();
    }
    return "the card does not answer on its control queue";
}

const char *virtio_net_start(struct virtio_net *net, struct virtqueue *const *rx, struct virtqueue *const *tx, uint32_t count)
{
    uint64_t wanted = VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU;
    const char *wrong = 0;
    if (count > 1)
        wanted |= VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_VQ;
    if (virtio_reset(&net->device))
        return "the card does not reset";
    if (virtio_negotiate(&net->device, net->offered & wanted))
        return "the card refuses the features";
    for (uint32_t i = 0; i < count && !wrong; i++) {
        wrong = set_up_queue(net, rx[i], (uint16_t)(2 * i), VIRTQ_DESC_F_WRITE);
        if (!wrong)
            wrong = set_up_queue(net, tx[i], (uint16_t)(2 * i + 1), 0);
    }
    if (wrong)
        return wrong;
    if (count > 1)
        return set_queue_pairs(net, (uint16_t)count);
    virtio_set_driver_ok(&net->device);
    return 0;
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
