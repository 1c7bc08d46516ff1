#include "core.h"

#include <stddef.h>

#include "speculation.h"
#include "still.h"

/* What is left to do of work or of an access: what a waiting load overlapped with is already done. */
static int64_t left_of(struct core *core, int64_t duration_ps)
{
	int64_t used = min64(core->credit, max64(duration_ps - 1, 0));

	core->credit -= used;
	return max64(duration_ps - used, 1);
}

/* Spend time on private work; outstanding misses hold it up where the window ends. */
static void work(struct core *core, int64_t duration_ps)
{
	int64_t left = left_of(core, duration_ps), now = core->clock;

	for (int64_t i = 0; i < core->misses; i++) {
		int64_t limit = core->miss[i].issued + core->scene->timing.window_ps;

		if (core->miss[i].gained <= now || now + left <= limit)
			continue;
		left -= max64(0, limit - now);
		now = max64(now, core->miss[i].gained);
	}
	core->clock = now + left;
}

bool core_miss_free(struct core *core)
{
	int64_t kept = 0;

	for (int64_t i = 0; i < core->misses; i++)
		if (core->miss[i].gained > core->clock)
			core->miss[kept++] = core->miss[i];
	core->misses = kept;
	return kept < core->scene->timing.concurrent_misses;
}

/* Whether a line fill buffer is free; otherwise wait until the first one is. */
static bool miss_allowed(struct core *core)
{
	int64_t first = NEVER;

	if (core_miss_free(core))
		return true;
	for (int64_t i = 0; i < core->misses; i++)
		first = min64(first, core->miss[i].gained);
	core->clock = first;
	return false;
}

void core_request(struct core *core, int64_t word, bool write, int64_t issued)
{
	int64_t gained = lines_acquire(core->lines, core->number, word, write, core->clock, core->scene->timing.hold_ps);

	core->miss[core->misses++] = (struct miss){issued, gained};
}

/* Ask for ownership unless a request is on its way; returns when to try again. */
static int64_t own(struct core *core, int64_t word, int64_t now, int64_t hold_ps)
{
	const struct copy *copy = core_copy(core, word);

	if (copy->write_from > now)
		return copy->write_from;
	if (copy->read_from > now)
		return copy->read_from;
	return lines_acquire(core->lines, core->number, word, true, now, hold_ps);
}

static bool buffer_full(struct core *core)
{
	if (core->length < core->scene->timing.store_buffer_entries)
		return false;
	core->clock = core->drain_clock;
	return true;
}

static bool buffer_busy(struct core *core)
{
	if (!core->length)
		return false;
	core->clock = core->drain_clock;
	return true;
}

static bool enqueue(struct core *core, struct pending pending)
{
	if (buffer_full(core))
		return false;
	if (!core->length)
		core->drain_clock = max64(core->clock, core->last_commit);
	core->buffer[(core->head + core->length++) % MAX_STORE_BUFFER] = pending;
	core->clock += left_of(core, core->scene->timing.issue_ps);
	core->accesses += pending.op != OP_BELL;
	return true;
}

static bool loaded(struct core *core, int64_t reg, int64_t value)
{
	core->registers[reg] = value;
	core->clock += left_of(core, core->scene->timing.hit_ps);
	core->accesses++;
	return true;
}

/* The youngest store of the own buffer to a word, or NULL; a load takes its value and needs no line. */
static const struct pending *newest_store(const struct core *core, int64_t word)
{
	for (int64_t i = core->length - 1; i >= 0; i--) {
		const struct pending *pending = &core->buffer[(core->head + i) % MAX_STORE_BUFFER];

		if (pending->word == word && pending->op != OP_BELL)
			return pending;
	}
	return NULL;
}

static bool load(struct core *core, int64_t reg, int64_t word)
{
	if (core->device)
		return loaded(core, reg, core->memory[word]);

	const struct pending *pending = newest_store(core, word);
	const struct copy *copy = core_copy(core, word);

	if (pending && pending->op == OP_STORE)
		return loaded(core, reg, pending->value);
	if (pending) {
		core->clock = core->drain_clock;
		return false;
	}
	if (copy_readable(copy, core->clock))
		return loaded(core, reg, core->memory[word]);
	if (copy->read_from <= core->clock) {
		if (!miss_allowed(core))
			return false;
		core_request(core, word, false, NEVER);
	}
	if (core->scene->timing.overlap_ps)
		speculation_begin(core, reg, word, copy->read_from);
	else
		core->clock = copy->read_from;
	return false;
}

/* Whether the line of a word may not be written now, and is not on its way. */
static bool lacks_to_write(const struct core *core, int64_t word)
{
	const struct copy *copy = core_copy(core, word);

	return !copy_writable(copy, core->clock) && copy->write_from <= core->clock && copy->read_from <= core->clock;
}

/* Touch a line: a load that nobody waits for, or a prefetch, which retires at once and asks to own the line. */
static bool prefetch(struct core *core, int64_t word, bool to_write)
{
	if (to_write ? lacks_to_write(core, word) : !core_present(core, word) && !newest_store(core, word)) {
		if (!miss_allowed(core))
			return false;
		core_request(core, word, to_write, to_write ? NEVER : core->clock);
	}
	core->clock += left_of(core, core->scene->timing.issue_ps);
	core->accesses++;
	return true;
}

/* Load part now, store part through the buffer; the program waits for neither. */
static bool increment(struct core *core, int64_t word, int64_t amount)
{
	if (buffer_full(core))
		return false;
	if (newest_store(core, word))
		return enqueue(core, (struct pending){OP_INC, word, amount, core->clock, 0});
	if (!core_present(core, word)) {
		if (!miss_allowed(core))
			return false;
		core_request(core, word, core_asks_to_own(core), core->clock);
	}
	return enqueue(core, (struct pending){OP_INC, word, amount, max64(core->clock, core_copy(core, word)->read_from), 0});
}

static bool compare_and_swap(struct core *core, int64_t reg, int64_t word, int64_t expected)
{
	const struct timing *timing = &core->scene->timing;

	if (buffer_busy(core))
		return false;
	if (!copy_writable(core_copy(core, word), core->clock)) {
		core->clock = own(core, word, core->clock, max64(timing->hold_ps, timing->locked_ps));
		return false;
	}
	bool swapped = core->memory[word] == core->registers[expected];

	if (swapped)
		core->memory[word] = core->registers[expected + 1];
	core->registers[reg] = swapped;
	core->clock += timing->locked_ps;
	core->accesses++;
	return true;
}

static bool device_store(struct core *core, int64_t word, int64_t value)
{
	if (!copy_writable(core_copy(core, word), core->clock)) {
		core->clock = own(core, word, core->clock, core->scene->timing.hold_ps);
		return false;
	}
	core->memory[word] = value;
	core->clock += core->scene->timing.issue_ps;
	core->accesses++;
	return true;
}

static bool fence(struct core *core)
{
	if (buffer_busy(core))
		return false;
	core->clock += core->scene->timing.issue_ps;
	return true;
}

/* A store asks for its line when it enters the buffer, if a line fill buffer is free (prefetch for ownership). */
static bool store(struct core *core, int64_t word, int64_t value)
{
	if (core->device)
		return device_store(core, word, value);
	if (buffer_full(core))
		return false;
	if (lacks_to_write(core, word) && core_miss_free(core))
		core_request(core, word, true, NEVER);
	return enqueue(core, (struct pending){OP_STORE, word, value, core->clock, 0});
}

static void halt(struct core *core)
{
	core->stopped_ps = core->clock;
	core->clock = NEVER;
}

/* Run an instruction that takes time; false when it waits and has to be tried again. */
static bool timed(struct core *core, const struct instruction *at)
{
	int64_t *r = core->registers;
	int64_t word = 0;

	if (at->op >= OP_LOAD && at->op <= OP_INC) {
		word = core_word(core, at->b, at->c);
		if (word < 0)
			return false;
	}
	switch (at->op) {
	case OP_LOAD: return load(core, at->a, word);
	case OP_STORE: return store(core, word, r[at->a]);
	case OP_INC: return increment(core, word, at->a);
	case OP_PREF: return prefetch(core, word, at->a != 0);
	case OP_CAS: return compare_and_swap(core, at->a, at->b, at->c);
	case OP_BELL: return enqueue(core, (struct pending){OP_BELL, at->b, r[at->c], core->clock, at->a});
	/* What occupies nothing and writes nothing still takes its turn. */
	case OP_SFENCE: return enqueue(core, (struct pending){OP_BELL, NO_REGISTER, 0, core->clock, 0});
	case OP_FENCE: return fence(core);
	case OP_WORK: work(core, at->a); return true;
	case OP_TILL: core->clock = max64(core->clock + 1, r[at->a]); return true;
	default: halt(core); return true;
	}
}

/* A jump went otherwise than predicted: the pipeline starts anew, and what was done beyond it is lost. */
static void restart(struct core *core)
{
	core->credit = 0;
	core->clock += core->scene->timing.restart_ps;
}

void core_step(struct core *core)
{
	if (core->speculation.active) {
		speculation_step(core);
		return;
	}
	for (int64_t i = 0; i < MAX_STILL; i++) {
		const struct instruction *at = &core->code[core->pc];

		if (uses_time(at)) {
			if (timed(core, at))
				core->pc++;
			return;
		}
		int64_t next = core_still(core, at);

		if (core->status != DONE) /* the program counter tells what failed */
			return;
		bool surprise = is_conditional(at) && jumps_surprise(&core->jumps, core->pc, next != core->pc + 1);

		core->pc = next;
		if (surprise) {
			restart(core);
			return;
		}
	}
	core->status = STANDS_STILL;
}

/* The head of the store buffer is done. */
static void leave_buffer(struct core *core)
{
	core->head = (core->head + 1) % MAX_STORE_BUFFER;
	core->length--;
}

/* Commit the head of the store buffer, and with it what follows of the same line, as far as it goes together. */
static void commit_line(struct core *core, int64_t now)
{
	const int64_t *word_lines = core->scene->word_lines;
	int64_t line = word_lines[core->buffer[core->head].word];

	for (int64_t left = core->scene->timing.together; left && core->length; left--) {
		const struct pending *pending = &core->buffer[core->head];

		if (pending->op == OP_BELL || word_lines[pending->word] != line || pending->ready_ps > now)
			return;
		core->memory[pending->word] = pending->value + (pending->op == OP_INC ? core->memory[pending->word] : 0);
		leave_buffer(core);
	}
}

void core_drain(struct core *core)
{
	struct pending *pending = &core->buffer[core->head];
	int64_t now = core->drain_clock;

	if (pending->ready_ps > now) {
		core->drain_clock = pending->ready_ps;
		return;
	}
	if (pending->op == OP_BELL) {
		if (pending->occupies_ps) {
			core->drain_clock = now + pending->occupies_ps;
			pending->occupies_ps = 0;
			return;
		}
		if (pending->word >= 0)
			core->memory[pending->word] = pending->value;
		leave_buffer(core);
	} else {
		if (!copy_writable(core_copy(core, pending->word), now)) {
			core->drain_clock = own(core, pending->word, now, core->scene->timing.hold_ps);
			return;
		}
		commit_line(core, now);
	}
	core->last_commit = now + core->scene->timing.commit_ps;
	core->drain_clock = core->length ? core->last_commit : NEVER;
}
