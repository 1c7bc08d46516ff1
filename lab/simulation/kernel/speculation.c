#include "speculation.h"

#include <string.h>

#include "still.h"

#define MAX_AHEAD 1000 /* instructions without time passing, before a core stops running ahead */

static void spend(struct core *core, int64_t duration_ps)
{
	core->clock = min64(core->clock + max64(duration_ps, 1), core->speculation.limit_ps);
}

/* Keep track of which registers depend on what has not arrived, through an instruction that takes no time. */
static void follow(struct core *core, const struct instruction *at)
{
	bool *unknown = core->speculation.unknown;
	int64_t a = at->a, b = at->b, c = at->c, *r = core->registers;

	switch (at->op) {
	case OP_MOVI: case OP_RAND: case OP_NOW: case OP_PEEK: unknown[a] = false; break;
	case OP_ADD: case OP_SUB: unknown[a] = unknown[b] || unknown[c]; break;
	case OP_ADDI: case OP_ANDI: case OP_MULI: unknown[a] = unknown[b]; break;
	case OP_GETR: unknown[a] = unknown[c] || unknown[register_of(core, b + r[c])]; break;
	case OP_SETR: unknown[register_of(core, b + r[c])] = unknown[a] || unknown[c]; break;
	default: break;
	}
}

/* Where a conditional jump leads, or -1 where the core does not run on: what it would fetch on a wrong way is left out. */
static int64_t jump(struct core *core, const struct instruction *at)
{
	int64_t next = core_still(core, at);
	bool taken = next != core->pc + 1, predicted = taken;

	if (core->speculation.unknown[at->a] || core->speculation.unknown[at->b])
		if (!jumps_predict(&core->jumps, core->pc, &predicted))
			return -1;
	core->jumps.passed++;
	return predicted == taken ? next : -1;
}

/* Ask for the line that an instruction needs; false when no line fill buffer is free, or there is no such word. */
static bool ask(struct core *core, const struct instruction *at)
{
	int64_t word = core_word(core, at->b, at->c);

	if (word < 0)
		return false;
	bool elsewhere = at->c != NO_REGISTER && core->speculation.unknown[at->c]; /* nobody knows yet which word it is */

	if (at->op == OP_LOAD)
		core->speculation.unknown[at->a] = elsewhere || !copy_readable(core_copy(core, word), core->clock);
	if (!elsewhere && !core_present(core, word)) {
		if (!core_miss_free(core))
			return false;
		bool owns = at->op == OP_PREF ? at->a != 0 : at->op == OP_INC && core_asks_to_own(core);

		core_request(core, word, owns, NEVER);
	}
	if (at->op == OP_LOAD)
		core->registers[at->a] = core->memory[word];
	return true;
}

/* Run an instruction that uses time; false when it cannot be done on suspicion. */
static bool timed(struct core *core, const struct instruction *at)
{
	const struct timing *timing = &core->scene->timing;

	switch (at->op) {
	case OP_LOAD: case OP_PREF: case OP_INC:
		if (!ask(core, at))
			return false;
		spend(core, at->op == OP_LOAD ? timing->hit_ps : timing->issue_ps);
		return true;
	case OP_WORK:
		spend(core, at->a);
		return true;
	case OP_STORE: case OP_BELL: case OP_SFENCE: /* takes time, but is not done before its turn */
		spend(core, timing->issue_ps);
		return true;
	default:
		return false;
	}
}

/* What others would see is left out. */
static bool outward(const struct instruction *at)
{
	return at->op == OP_COUNT || at->op == OP_POKE || at->op == OP_SAMPLE;
}

/* Whether the core could go on. */
static bool run(struct core *core)
{
	for (int64_t i = 0; i < MAX_AHEAD && core->status == DONE; i++) {
		const struct instruction *at = &core->code[core->pc];

		if (uses_time(at)) {
			core->pc++;
			return timed(core, at);
		}
		follow(core, at);
		int64_t next = is_conditional(at) ? jump(core, at) : outward(at) ? core->pc + 1 : core_still(core, at);

		if (next < 0)
			return false;
		core->pc = next;
	}
	return false;
}

static void end(struct core *core)
{
	struct speculation *back = &core->speculation;

	core->status = DONE; /* a wrong prediction may have led to a word or register that does not exist */
	core->credit = core->clock - back->begun_ps;
	core->pc = back->pc;
	core->random = back->random;
	memcpy(core->registers, back->registers, sizeof(core->registers));
	core->clock = back->arrives_ps;
	back->active = false;
	jumps_again(&core->jumps);
}

void speculation_begin(struct core *core, int64_t reg, int64_t word, int64_t arrives_ps)
{
	struct speculation *back = &core->speculation;

	back->active = true;
	back->arrives_ps = arrives_ps;
	back->begun_ps = core->clock;
	back->limit_ps = min64(arrives_ps, core->clock + core->scene->timing.overlap_ps);
	back->pc = core->pc;
	back->random = core->random;
	memcpy(back->registers, core->registers, sizeof(core->registers));
	memset(back->unknown, 0, sizeof(back->unknown));
	back->unknown[reg] = true;
	jumps_begin(&core->jumps);
	core->registers[reg] = core->memory[word];
	core->pc++;
	spend(core, core->scene->timing.issue_ps);
}

void speculation_step(struct core *core)
{
	if (core->clock >= core->speculation.limit_ps || !run(core))
		end(core);
}
