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

#include "jumps.h"
#include "lines.h"
#include "minmax.h"
#include "random.h"

/* One store buffer entry; ready_ps: not before its load part arrives; occupies_ps: how long a doorbell holds it up. */
struct pending {
	int64_t op, word, value, ready_ps, occupies_ps;
};

/* An outstanding request; issued is NEVER for one that holds up no retirement (a store's, a waiting load's). */
struct miss {
	int64_t issued, gained;
};

/* What a core goes back to after running ahead (speculation.h); active while it does. */
struct speculation {
	bool active;
	int64_t arrives_ps, begun_ps, limit_ps, pc;
	uint64_t random;
	int64_t registers[REGISTERS];
	bool unknown[REGISTERS];              /* registers that depend on what has not arrived */
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
	struct speculation speculation;
	struct jumps jumps;
};

/* This core's copy of the line of a word. */
static inline struct copy *core_copy(const struct core *core, int64_t word)
{
	return lines_copy(core->lines, core->number, core->scene->word_lines[word]);
}

/* Whether the line of a word may be read now, or is on its way. */
static inline bool core_present(const struct core *core, int64_t word)
{
	const struct copy *copy = core_copy(core, word);

	return copy->read_from > core->clock || copy_readable(copy, core->clock);
}

/* Draw whether the load of an increment asks for its line to own it, or shared first. */
static inline bool core_asks_to_own(struct core *core)
{
	return random_below(&core->lines->random, JITTER_ONE) >= core->scene->timing.upgrade;
}

/* Whether an instruction jumps or not, as its registers are. */
static inline bool is_conditional(const struct instruction *at)
{
	return at->op >= OP_BLT && at->op <= OP_BNE;
}

/* Whether an instruction uses time, or waits. */
static inline bool uses_time(const struct instruction *at)
{
	return at->op <= OP_TILL;
}

/* Run until one instruction has used time or has to wait. */
void core_step(struct core *core);

/* Let the head of the store buffer commit, or wait for what it lacks. */
void core_drain(struct core *core);

/* Whether a line fill buffer is free. */
bool core_miss_free(struct core *core);

/* Ask for the line of a word; issued is when the window began to fill behind it, or NEVER. */
void core_request(struct core *core, int64_t word, bool write, int64_t issued);

#endif
