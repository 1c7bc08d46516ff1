#include "device.h"

#include <stddef.h>
#include <string.h>

#include "boot_info.h"
#include "capacity.h"
#include "virtio_net.h"
#include "watch.h"

#define VIRTIO_NET_F_MAC (1ull << 5)
#define VIRTIO_NET_F_CTRL_VQ (1ull << 17)
#define VIRTIO_NET_F_MQ (1ull << 22)
#define DESC_F_NEXT 1
#define CONTROL_QUEUE (2 * DEVICE_QUEUE_PAIRS)
#define QUEUES (CONTROL_QUEUE + 1)
#define BUFFER_HEADER 12
#define NUM_BUFFERS 10 /* offset in the header */
#define LATE_MAX 32    /* descriptors that wait in the device for a frame, or to be given back late */

/* `seen` available slots were read, `returned` used ones written. Slots between are the device's, and in owned[]. */
struct queue {
    const struct virtq_desc *desc;
    const struct virtq_avail *avail;
    struct virtq_used *used;
    uint16_t size, seen, returned;
    bool is_owned[QUEUE_LENGTH_MAX];
    uint16_t late[LATE_MAX];
    uint32_t late_count;
};

struct card {
    struct virtio_pci_common_cfg common;
    uint8_t config[16];
    uint16_t notified;
    bool runs;
    uint32_t pairs; /* in use */
    struct queue queue[QUEUES];
};

static struct card cards[DEVICES_MAX];
static uint64_t shuffle;
static uint16_t queue_length;

void device_plug(uint32_t count, uint16_t length)
{
    queue_length = length;
    boot_info.nic_count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, (uint8_t)(i + 1)};
        boot_info.nic[i].at = (uint16_t)((4 + i) << 3);
        memcpy(cards[i].config, mac, 6);
        cards[i].config[6] = 1; /* link up */
        cards[i].config[8] = DEVICE_QUEUE_PAIRS;
    }
}

void device_shuffle(uint64_t seed)
{
    shuffle = seed;
}

static uint32_t draw(uint32_t limit)
{
    if (!shuffle)
        return 0;
    shuffle = shuffle * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(shuffle >> 33) % limit;
}

/* The descriptor that the driver has made available next, or -1. */
static int next_available(struct queue *queue)
{
    uint16_t waiting = (uint16_t)(__atomic_load_n(&queue->avail->idx, __ATOMIC_ACQUIRE) - queue->seen);
    if (waiting > queue->size)
        watch_fail("more descriptors are available than the queue has", waiting);
    if (!waiting)
        return -1;
    uint16_t id = queue->avail->ring[queue->seen++ & (queue->size - 1)];
    if (id >= queue->size || queue->is_owned[id])
        watch_fail("a descriptor is made available that does not exist or is the device's", id);
    queue->is_owned[id] = true;
    return id;
}

static void give_back(struct queue *queue, uint16_t id, uint32_t size)
{
    queue->used->ring[queue->returned & (queue->size - 1)] = (struct virtq_used_elem){id, size};
    queue->is_owned[id] = false;
    __atomic_store_n(&queue->used->idx, ++queue->returned, __ATOMIC_RELEASE);
}

/* One of the descriptors that the device has, the oldest if nothing is shuffled. */
static uint16_t choose(struct queue *queue)
{
    uint32_t chosen = draw(queue->late_count);
    uint16_t id = queue->late[chosen];
    queue->late_count--;
    memmove(&queue->late[chosen], &queue->late[chosen + 1], (queue->late_count - chosen) * sizeof(queue->late[0]));
    return id;
}

/* Takes up what the driver has posted, so that buffers are watched from the moment on that they are a device's. */
static void take_receive_buffers(struct queue *queue)
{
    for (int id; queue->late_count < LATE_MAX && (id = next_available(queue)) >= 0;) {
        const struct virtq_desc *desc = &queue->desc[id];
        if (desc->flags != VIRTQ_DESC_F_WRITE || desc->len < BUFFER_HEADER)
            watch_fail("a receive descriptor is not to be written, or too small", desc->flags);
        watch_posted(desc->addr);
        queue->late[queue->late_count++] = (uint16_t)id;
    }
}

bool device_receive(uint32_t device, uint32_t number, const uint8_t *frame, uint32_t size)
{
    struct card *card = &cards[device];
    if (!card->runs || number >= card->pairs)
        return false;
    struct queue *queue = &card->queue[2 * number];
    take_receive_buffers(queue);
    if (!queue->late_count)
        return false;
    uint16_t id = choose(queue);
    const struct virtq_desc *desc = &queue->desc[id];
    if (size > desc->len - BUFFER_HEADER)
        watch_fail("a frame is too long for the buffers", size);
    watch_received(desc->addr, frame, size);
    memset((void *)desc->addr, 0, BUFFER_HEADER);
    ((uint8_t *)desc->addr)[NUM_BUFFERS] = 1;
    memcpy((uint8_t *)desc->addr + BUFFER_HEADER, frame, size);
    give_back(queue, id, BUFFER_HEADER + size);
    return true;
}

/* Returns late descriptors until at most `kept` are left. */
static void give_back_late(struct queue *queue, uint32_t kept)
{
    while (queue->late_count > kept) {
        uint16_t id = choose(queue);
        watch_sent(queue->desc[id].addr);
        give_back(queue, id, 0);
    }
}

void device_transmit(void (*sent)(uint32_t device, uint32_t queue, const uint8_t *frame, uint32_t size))
{
    static const uint8_t no_offload[NUM_BUFFERS];
    for (uint32_t device = 0; device < boot_info.nic_count; device++)
        for (uint32_t number = 0; cards[device].runs && number < cards[device].pairs; number++) {
            struct queue *queue = &cards[device].queue[2 * number + 1];
            for (int id; (id = next_available(queue)) >= 0;) {
                const struct virtq_desc *desc = &queue->desc[id];
                const uint8_t *header = (const uint8_t *)desc->addr;
                if (desc->flags || desc->len <= BUFFER_HEADER)
                    watch_fail("a transmit descriptor has flags or no frame", desc->flags);
                if (memcmp(header, no_offload, sizeof(no_offload)))
                    watch_fail("a frame is sent with offloads", desc->addr);
                sent(device, number, header + BUFFER_HEADER, desc->len - BUFFER_HEADER);
                watch_posted(desc->addr);
                queue->late[queue->late_count++] = (uint16_t)id;
                give_back_late(queue, LATE_MAX - 1);
            }
            give_back_late(queue, draw(LATE_MAX));
        }
}

void device_poll_control(void)
{
    for (uint32_t device = 0; device < boot_info.nic_count; device++) {
        struct queue *queue = &cards[device].queue[CONTROL_QUEUE];
        int id = queue->size ? next_available(queue) : -1;
        if (id < 0)
            continue;
        const struct virtq_desc *command = &queue->desc[id], *data = &queue->desc[command->next];
        if (command->flags != DESC_F_NEXT || data->flags != DESC_F_NEXT || memcmp((void *)command->addr, "\4\0", 2))
            watch_fail("a command is not to set the number of queue pairs", command->addr);
        uint16_t pairs = *(const uint16_t *)data->addr;
        bool is_right = data->len == 2 && pairs >= 1 && pairs <= DEVICE_QUEUE_PAIRS;
        *(uint8_t *)queue->desc[data->next].addr = is_right ? 0 : 1;
        if (is_right)
            cards[device].pairs = pairs;
        give_back(queue, (uint16_t)id, 1);
    }
}

/* drivers/virtio_pci.h: the registers of these cards are plain memory, so a function acts where a register would. */

static struct card *card_of(const struct virtio_device *device)
{
    return (struct card *)((char *)device->common - offsetof(struct card, common));
}

const char *virtio_pci_find(struct virtio_device *device, const struct nic_info *nic)
{
    struct card *card = &cards[(nic->at >> 3) - 4];
    *device = (struct virtio_device){
        .common = &card->common, .config = card->config, .notify = (volatile uint8_t *)&card->notified};
    return 0;
}

int virtio_reset(struct virtio_device *device)
{
    struct card *card = card_of(device);
    card->runs = false;
    memset(card->queue, 0, sizeof(card->queue));
    watch_reset();
    return 0;
}

uint64_t virtio_offered_features(struct virtio_device *device)
{
    (void)device;
    return VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_MQ;
}

int virtio_negotiate(struct virtio_device *device, uint64_t features)
{
    return features & ~virtio_offered_features(device) ? -1 : 0;
}

uint16_t virtio_select_queue(struct virtio_device *device, uint16_t index)
{
    device->common->queue_select = index;
    return index < QUEUES ? queue_length : 0;
}

volatile uint16_t *virtio_enable_queue(struct virtio_device *device, uint16_t size, const void *desc, const void *driver,
                                       const void *device_area)
{
    struct queue *queue = &card_of(device)->queue[device->common->queue_select];
    *queue = (struct queue){.desc = desc, .avail = driver, .used = (struct virtq_used *)device_area, .size = size};
    queue->used->flags = VIRTQ_USED_F_NO_NOTIFY;
    return &card_of(device)->notified;
}

void virtio_set_driver_ok(struct virtio_device *device)
{
    struct card *card = card_of(device);
    card->pairs = 1;
    card->runs = true;
}
