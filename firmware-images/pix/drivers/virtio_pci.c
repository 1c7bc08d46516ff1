#include "virtio_pci.h"

#include "io.h"

#define PCI_CAPABILITY_VENDOR 0x09
#define VIRTIO_PCI_CAP_COMMON_CFG 1
#define VIRTIO_PCI_CAP_NOTIFY_CFG 2
#define VIRTIO_PCI_CAP_DEVICE_CFG 4
#define RESET_POLLS 100000

/* struct virtio_pci_cap (4.1.4): id, next, length, type in the first dword, then bar, offset, length, multiplier. */
static void read_capability(struct virtio_device *device, const struct nic_info *nic, unsigned at, unsigned type)
{
    unsigned bar = pci_read(nic->at, at + 4) & 0xff;
    if (bar > 5 || !nic->bar[bar])
        return;
    volatile uint8_t *address = (volatile uint8_t *)(nic->bar[bar] + pci_read(nic->at, at + 8));
    if (type == VIRTIO_PCI_CAP_COMMON_CFG && !device->common) {
        device->common = (volatile struct virtio_pci_common_cfg *)address;
    } else if (type == VIRTIO_PCI_CAP_NOTIFY_CFG && !device->notify) {
        device->notify = address;
        device->notify_off_multiplier = pci_read(nic->at, at + 16);
    } else if (type == VIRTIO_PCI_CAP_DEVICE_CFG && !device->config) {
        device->config = address;
    }
}

const char *virtio_pci_find(struct virtio_device *device, const struct nic_info *nic)
{
    *device = (struct virtio_device){0};
    if (!(pci_read(nic->at, PCI_COMMAND) & PCI_STATUS_CAPABILITIES))
        return "no PCI capabilities";
    unsigned at = pci_read(nic->at, PCI_CAPABILITIES) & 0xfc;
    for (unsigned seen = 0; at && seen < 48; seen++) { /* a list that loops ends too */
        uint32_t first = pci_read(nic->at, at);
        if ((first & 0xff) == PCI_CAPABILITY_VENDOR)
            read_capability(device, nic, at, first >> 24);
        at = first >> 8 & 0xfc;
    }
    if (!device->common || !device->notify || !device->config)
        return "no virtio registers";
    return 0;
}

int virtio_reset(struct virtio_device *device)
{
    device->common->device_status = 0;
    for (unsigned i = 0; i < RESET_POLLS; i++) {
        if (device->common->device_status == 0)
            return 0;
        cpu_relax();
    }
    return -1;
}

uint64_t virtio_offered_features(struct virtio_device *device)
{
    device->common->device_feature_select = 0;
    uint64_t features = device->common->device_feature;
    device->common->device_feature_select = 1;
    return features | (uint64_t)device->common->device_feature << 32;
}

int virtio_negotiate(struct virtio_device *device, uint64_t features)
{
    uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;
    device->common->device_status = VIRTIO_STATUS_ACKNOWLEDGE;
    device->common->device_status = status;
    device->common->driver_feature_select = 0;
    device->common->driver_feature = (uint32_t)features;
    device->common->driver_feature_select = 1;
    device->common->driver_feature = (uint32_t)(features >> 32);
    device->common->device_status = status | VIRTIO_STATUS_FEATURES_OK;
    return device->common->device_status & VIRTIO_STATUS_FEATURES_OK ? 0 : -1;
}

uint16_t virtio_select_queue(struct virtio_device *device, uint16_t index)
{
    device->common->queue_select = index;
    return device->common->queue_size;
}

volatile uint16_t *virtio_enable_queue(struct virtio_device *device, uint16_t size, const void *desc, const void *driver,
                                       const void *device_area)
{
    volatile struct virtio_pci_common_cfg *common = device->common;
    common->queue_size = size;
    common->queue_msix_vector = VIRTIO_NO_VECTOR;
    common->queue_desc_low = (uint32_t)(uint64_t)desc;
    common->queue_desc_high = (uint32_t)((uint64_t)desc >> 32);
    common->queue_driver_low = (uint32_t)(uint64_t)driver;
    common->queue_driver_high = (uint32_t)((uint64_t)driver >> 32);
    common->queue_device_low = (uint32_t)(uint64_t)device_area;
    common->queue_device_high = (uint32_t)((uint64_t)device_area >> 32);
    common->queue_enable = 1;
    return (volatile uint16_t *)(device->notify + common->queue_notify_off * device->notify_off_multiplier);
}

void virtio_set_driver_ok(struct virtio_device *device)
{
    device->common->device_status =
        VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK;
}
