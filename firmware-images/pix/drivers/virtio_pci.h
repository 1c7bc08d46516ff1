/* A modern virtio device on PCI (virtio 1.2, 4.1). */
#ifndef PIX_VIRTIO_PCI_H
#define PIX_VIRTIO_PCI_H

#include <stdint.h>
#include "boot_info.h"

#define VIRTIO_STATUS_ACKNOWLEDGE 1
#define VIRTIO_STATUS_DRIVER 2
#define VIRTIO_STATUS_DRIVER_OK 4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_NO_VECTOR 0xffff

struct virtio_pci_common_cfg { /* 4.1.4.3 */
    uint32_t device_feature_select, device_feature, driver_feature_select, driver_feature;
    uint16_t config_msix_vector, num_queues;
    uint8_t device_status, config_generation;
    uint16_t queue_select, queue_size, queue_msix_vector, queue_enable, queue_notify_off;
    uint32_t queue_desc_low, queue_desc_high, queue_driver_low, queue_driver_high, queue_device_low, queue_device_high;
};

struct virtio_device {
    volatile struct virtio_pci_common_cfg *common;
    volatile uint8_t *notify;
    uint32_t notify_off_multiplier;
    volatile uint8_t *config; /* device specific */
};

/* Finds the device's registers through its capabilities; returns what is missing, or a null pointer. */
const char *virtio_pci_find(struct virtio_device *device, const struct nic_info *nic);

/* Resets the device and waits until it is; returns -1 if it does not become so. */
int virtio_reset(struct virtio_device *device);

uint64_t virtio_offered_features(struct virtio_device *device);

/* Goes through ACKNOWLEDGE, DRIVER and FEATURES_OK with exactly these features; returns -1 if the device refuses. */
int virtio_negotiate(struct virtio_device *device, uint64_t features);

/* Chooses a queue and returns its largest size; 0 if it does not exist. */
uint16_t virtio_select_queue(struct virtio_device *device, uint16_t index);

/* Gives the chosen queue its memory and size, enables it and returns its notification register. */
volatile uint16_t *virtio_enable_queue(struct virtio_device *device, uint16_t size, const void *desc, const void *driver,
                                       const void *device_area);

void virtio_set_driver_ok(struct virtio_device *device);

#endif
