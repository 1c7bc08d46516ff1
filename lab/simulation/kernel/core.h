/* A core or device: it runs a program and drains its store buffer in order. The rules are those of
 * lab/simulation/core.py.
 *
 * Invariants:
 *   - clock and drain_clock never decrease while finite; drain_clock is NEVER exactly when the buffer is empty;
 *   - stores commit in program order, each at a time at which its line is writable;
 *   - at most concurrent_misses line requests are outstanding.
 */
#ifndef PIXSIM_CORE_H
#define PIXSIM_CORE_H

#include "lines.h"

/* One store buffer entry; ready_ps: not before its load part arrives; occupies_ps: how long a doorbell holds it up. */
struct pending {
	int64_t op, word, value, ready_ps, occupies_ps;
};

/* An outstanding request; issued is NEVER for a store's, which holds up no retirement. */
struct miss {
	int64_t issued, gained;
};

struct core {
	const struct scene *scene;
	struct lines *lines;
	const struct instruction *code;
	int64_t *memory, *stats, *latency_counts;
	int64_t number, device, pc, clock, drain_clock, last_commit, credit, stopped_ps, accesses;
	int64_t head, length, misses;
	int status;                           /* enum status; not DONE stops the simulation */
	uint64_t random;
	int64_t registers[REGISTERS];
	struct pending buffer[MAX_STORE_BUFFER];
	struct miss miss[MAX_MISSES];         /* oldest first */
};

/* Run until one instruction has used time or has to wait. */
void core_step(struct core *core);

/* Let the head of the store buffer commit, or wait for what it lacks. */
void core_drain(struct core *core);

#endif
