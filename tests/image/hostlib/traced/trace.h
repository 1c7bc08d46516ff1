/*
 * Writes down what a turn of a QGM does to memory. The QGM's sources are compiled as for the image, but with the calls of
 * the thread sanitizer before each access (gcc -fsanitize=thread), and linked with trace.c instead of its library.
 */
#ifndef TRACED_TRACE_H
#define TRACED_TRACE_H

#include <stdint.h>

void trace_prefetch(const void *address, int to_write, ...);

/* The sanitizer does not look at prefetches. */
#define __builtin_prefetch(...) trace_prefetch(__VA_ARGS__, 0)

/*
 * Lets the QGM of a core have one turn and returns its accesses, until the next call: a line `kind structure element`
 * for each that lies in the shared block, a queue, a ring, a buffer or a table.
 */
const char *trace_turn(uint32_t core);

#endif
