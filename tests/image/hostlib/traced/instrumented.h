/*
 * Stands before every source that is traced: it is compiled as for the image, but with the calls of the thread sanitizer
 * before each access (gcc -fsanitize=thread), and linked with trace.c instead of its library.
 */
#ifndef TRACED_INSTRUMENTED_H
#define TRACED_INSTRUMENTED_H

#include <stdint.h>

void trace_prefetch(const void *address, int to_write, ...);
void __tsan_read_range(const void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size);

/* The sanitizer does not look at prefetches. */
#define __builtin_prefetch(...) trace_prefetch(__VA_ARGS__, 0)

/* Nor at what is expanded late, when code is generated: a memset or memcpy of a size that no single move has. */
#define IS_ONE_MOVE(size) ((size) <= 8 && ((size) & ((size) - 1)) == 0)
#define __builtin_memset(to, value, size) \
    (IS_ONE_MOVE(size) ? (void)0 : __tsan_write_range(to, size), __builtin_memset(to, value, size))
#define __builtin_memcpy(to, from, size) \
    (IS_ONE_MOVE(size) ? (void)0 : (__tsan_read_range(from, size), __tsan_write_range(to, size)), __builtin_memcpy(to, from, size))

#endif
