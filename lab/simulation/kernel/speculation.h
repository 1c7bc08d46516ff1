/* What a core does while a load waits for its line: it runs on into its program with the value that memory holds now, for
 * overlap_ps at most, and asks for the lines that it meets. The rules are those of lab/simulation/speculation.py.
 *
 * Invariant: the clock of a speculating core never passes the time at which its line arrives.
 */
#ifndef PIXSIM_SPECULATION_H
#define PIXSIM_SPECULATION_H

#include "core.h"

/* Begin at a load whose line arrives later. */
void speculation_begin(struct core *core, int64_t reg, int64_t word, int64_t arrives_ps);

/* Run ahead until an instruction has used time, or go back to the load, whose line is then there. */
void speculation_step(struct core *core);

#endif
