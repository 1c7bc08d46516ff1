/* Traces a turn of a QGM of the hosted machine. */
#ifndef TRACED_QGM_TURN_H
#define TRACED_QGM_TURN_H

#include <stdint.h>

/*
 * Lets the QGM of a core have one turn and returns its accesses, until the next call: a line `kind structure element`
 * for each that lies in the shared block, a queue, a ring, a buffer or a table.
 */
const char *trace_turn(uint32_t core);

#endif
