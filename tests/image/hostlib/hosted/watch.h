/*
 * Who has a buffer, for the address sanitizer. Memory that the QGMs have no business with is poisoned, so that the first
 * touch of it ends the process with a report: all of a free buffer, all of one that a device has, and of one with a
 * received frame what lies behind the frame.
 */
#ifndef HOSTED_WATCH_H
#define HOSTED_WATCH_H

#include <stdint.h>

/* Ends the process with what was done that must not be, in one line. */
void watch_fail(const char *what, uint64_t address) __attribute__((noreturn));

/* A buffer leaves the pool, or comes into it. */
void watch_taken(uint64_t buffer);
void watch_freed(uint64_t buffer);

/* A device gets a buffer, or gives it back with a frame of so many bytes behind the virtio header, or sent. */
void watch_posted(uint64_t buffer);
void watch_received(uint64_t buffer, const uint8_t *frame, uint32_t size);
void watch_sent(uint64_t buffer);

/* All buffers are nobody's: the queues were reset. */
void watch_reset(void);

#define BUFFER_TAKEN(address) watch_taken(address)
#define BUFFER_FREED(address) watch_freed(address)

#endif
