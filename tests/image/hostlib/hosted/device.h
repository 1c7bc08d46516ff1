/*
 * Virtio network cards in memory: the other side of drivers/virtqueue.h (virtio 1.2, 2.7 and 5.1). They poll and want no
 * notifications. They check what they are given as strictly as the specification allows, and end the process where a
 * driver breaks it.
 */
#ifndef HOSTED_DEVICE_H
#define HOSTED_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#define DEVICES_MAX 8
#define DEVICE_QUEUE_PAIRS 4

/* Puts this many cards, with so many descriptors a queue (a power of two), into the machine, before it boots. */
void device_plug(uint32_t count, uint16_t queue_length);

/* Of each batch, gives descriptors back in a random order and sent ones late; 0: in order and at once. */
void device_shuffle(uint64_t seed);

/* Has a frame (without FCS) arrive at a queue of a card. False if the card does not run or has no room. */
bool device_receive(uint32_t device, uint32_t queue, const uint8_t *frame, uint32_t size);

/* Gives every frame in the transmit queues to `sent`, in the order of each queue, and some or all buffers back. */
void device_transmit(void (*sent)(uint32_t device, uint32_t queue, const uint8_t *frame, uint32_t size));

/* Carries out what waits in the control queues. */
void device_poll_control(void);

#endif
