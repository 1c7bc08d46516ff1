/* Traces a turn of a core in the microbenchmark `forward`. */
#ifndef TRACED_BENCH_TURN_H
#define TRACED_BENCH_TURN_H

#include "window.h"

/* Does what a core does before its first turn: its receive queue is filled. */
void bench_trace_start(struct bench_core *me);

/*
 * Lets a core have one turn, with new frames unless some wait, and returns its accesses, until the next call: a line
 * `kind structure element` for each that lies in the shared block, a ring, a buffer or a table.
 */
const char *bench_trace_turn(struct bench_core *me);

#endif
