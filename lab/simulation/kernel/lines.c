#include "lines.h"

#include "random.h"

#define FINGERPRINT_PRIME 0x100000001B3u

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t transfer_ps(const struct lines *lines, int64_t holder, int64_t requester)
{
	return lines->scene->transfer_ps[holder * lines->scene->agents + requester];
}

/* Spread a latency by the jitter; at least 2 ps, so that hand-overs take time. */
static int64_t jitter(struct lines *lines, int64_t latency_ps)
{
	int64_t half = lines->scene->timing.jitter;

	if (half)
		latency_ps = latency_ps * (JITTER_ONE + random_below(&lines->random, 2 * half + 1) - half) / JITTER_ONE;
	return max64(latency_ps, 2);
}

/* Make agent the only holder. */
static int64_t take(struct lines *lines, int64_t agent, int64_t number, int64_t now, uint64_t holders, int64_t hold_ps)
{
	struct line *line = &lines->line[number];
	struct copy *mine = lines_copy(lines, agent, number);
	int64_t latency = holders ? 0 : lines->scene->timing.shared_cache_ps;
	int64_t start = max64(now, line->free_for_write), gain;

	for (uint64_t left = holders; left; left &= left - 1)
		latency = max64(latency, transfer_ps(lines, __builtin_ctzll(left), agent));
	latency = jitter(lines, latency);
	gain = start + latency;
	for (uint64_t left = holders; left; left &= left - 1) {
		struct copy *theirs = lines_copy(lines, __builtin_ctzll(left), number);

		theirs->read_until = min64(theirs->read_until, start + latency / 2);
		theirs->write_until = min64(theirs->write_until, start + latency / 2);
	}
	if (!(line->sharers >> agent & 1)) /* otherwise an upgrade: the shared copy stays readable meanwhile */
		mine->read_from = gain;
	mine->read_until = NEVER;
	mine->write_from = gain;
	mine->write_until = NEVER;
	line->owner = line->supplier = (int32_t)agent;
	line->sharers = (uint64_t)1 << agent;
	line->free_for_read = line->free_for_write = gain + hold_ps;
	if (lines->scene->device[agent]) { /* DDIO: the line goes to the shared cache, the device keeps nothing */
		mine->read_until = mine->write_until = gain + 1;
		line->owner = line->supplier = NOBODY;
		line->sharers = 0;
	}
	return gain;
}

/* Latency of a copy: from the owner, from the shared cache of the own socket, or from the forwarder. */
static int64_t supply_ps(const struct lines *lines, int64_t agent, const struct line *line)
{
	const struct scene *scene = lines->scene;

	if (line->owner != NOBODY)
		return transfer_ps(lines, line->owner, agent);
	if (scene->timing.protocol == MESIF)
		for (uint64_t left = line->sharers; left; left &= left - 1)
			if (scene->socket[__builtin_ctzll(left)] == scene->socket[agent])
				return scene->timing.shared_cache_ps;
	return transfer_ps(lines, line->supplier, agent);
}

/* Give agent a shared copy; an exclusive holder keeps a shared one. */
static int64_t share(struct lines *lines, int64_t agent, int64_t number, int64_t now)
{
	struct line *line = &lines->line[number];
	struct copy *mine = lines_copy(lines, agent, number);
	int64_t start = max64(now, line->free_for_read);
	int64_t latency = jitter(lines, supply_ps(lines, agent, line));
	int64_t gain = start + latency;

	if (line->owner != NOBODY) {
		struct copy *theirs = lines_copy(lines, line->owner, number);

		theirs->write_until = min64(theirs->write_until, start + latency / 2);
		line->owner = NOBODY;
		line->free_for_read = gain;
	}
	if (lines->scene->timing.protocol == MESIF)
		line->supplier = (int32_t)agent; /* the newest reader forwards; MOESI leaves it to the old owner */
	line->sharers |= (uint64_t)1 << agent;
	mine->read_from = gain;
	mine->read_until = NEVER;
	mine->write_from = mine->write_until = 0;
	line->free_for_write = max64(line->free_for_write, gain);
	return gain;
}

int64_t lines_acquire(struct lines *lines, int64_t agent, int64_t word, bool write, int64_t now, int64_t hold_ps)
{
	int64_t line = lines->scene->word_lines[word];
	uint64_t holders = lines->line[line].sharers & ~((uint64_t)1 << agent);
	/* A read of a line that nobody has is granted exclusive (E). */
	int64_t gain = write || !holders ? take(lines, agent, line, now, holders, hold_ps)
					 : share(lines, agent, line, now);

	lines->transactions[agent]++;
	lines->word_transactions[word] += now >= lines->scene->warm_ps;
	lines->fingerprint = (lines->fingerprint ^ (uint64_t)gain) * FINGERPRINT_PRIME
			     + (uint64_t)(line * 128 + agent * 2 + write);
	return gain;
}
