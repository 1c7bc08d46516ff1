/* Instructions that take no time of their own. Inline: a simulation spends most of its time in them. */
#ifndef PIXSIM_STILL_H
#define PIXSIM_STILL_H

#include "buckets.h"
#include "core.h"

/* The word that an instruction names, or -1 with the status set. */
static inline int64_t core_word(struct core *core, int64_t base, int64_t index)
{
	int64_t word = index == NO_REGISTER ? base : base + core->registers[index];

	if (word >= 0 && word < core->scene->words)
		return word;
	core->status = BAD_WORD;
	return -1;
}

static inline int64_t register_of(struct core *core, int64_t number)
{
	if (number >= 0 && number < REGISTERS)
		return number;
	core->status = BAD_REGISTER;
	return 0;
}

static inline void peek(struct core *core, int64_t reg, int64_t word)
{
	if (word >= 0)
		core->registers[reg] = core->memory[word];
}

static inline void poke(struct core *core, int64_t reg, int64_t word)
{
	if (word >= 0)
		core->memory[word] = core->registers[reg];
}

/* Count the time that has passed since a moment, from warm-up on. */
static inline void sample(struct core *core, int64_t since_ps)
{
	int64_t latency_ps = core->clock - since_ps;

	if (latency_ps < 0 || latency_ps >= NEVER)
		core->status = BAD_SAMPLE;
	else if (core->clock >= core->scene->warm_ps)
		core->latency_counts[bucket_of_ps(latency_ps)]++;
}

/* Run an instruction that takes no time of its own; returns where the program continues. */
static inline int64_t core_still(struct core *core, const struct instruction *at)
{
	int64_t *r = core->registers, a = at->a, b = at->b, c = at->c;
	bool jump = false;

	switch (at->op) {
	case OP_MOVI: r[a] = b; break;
	case OP_ADD: r[a] = r[b] + r[c]; break;
	case OP_SUB: r[a] = r[b] - r[c]; break;
	case OP_ADDI: r[a] = r[b] + c; break;
	case OP_ANDI: r[a] = r[b] & c; break;
	case OP_MULI: r[a] = r[b] * c; break;
	case OP_RAND: r[a] = random_below(&core->random, b); break;
	case OP_GETR: r[a] = r[register_of(core, b + r[c])]; break;
	case OP_SETR: r[register_of(core, b + r[c])] = r[a]; break;
	case OP_COUNT: core->stats[a] += r[b]; break;
	case OP_NOW: r[a] = core->clock; break;
	case OP_PEEK: peek(core, a, core_word(core, b, c)); break;
	case OP_POKE: poke(core, a, core_word(core, b, c)); break;
	case OP_SAMPLE: sample(core, r[a]); break;
	case OP_JMP: jump = true; break;
	case OP_BLT: jump = r[a] < r[b]; break;
	case OP_BGE: jump = r[a] >= r[b]; break;
	case OP_BEQ: jump = r[a] == r[b]; break;
	default: jump = r[a] != r[b]; break;
	}
	return jump ? c : core->pc + 1;
}

#endif
