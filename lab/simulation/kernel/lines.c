#include "lines.h"

#include "minmax.h"
#include "random.h"

#define FINGERPRINT_PRIME 0x100000001B3u

/* Time from one private cache to another; between sockets the request goes by the line's home. */
static int64_t transfer_ps(const struct lines *lines, int64_t holder, int64_t requester, const struct line *line)
{
	const struct scene *scene = lines->scene;
	int64_t latency = scene->transfer_ps[holder * scene->agents + requester];

	if (scene->socket[holder] != scene->socket[requester])
		latency += line->home == scene->socket[holder] ? -(scene->timing.home_ps / 2) : scene->timing.home_ps / 2;
	return max64(latency, 0);
}

/* Time of a line that no private cache has: from a shared cache, else from memory. */
static int64_t fetch_ps(const struct lines *lines, int64_t agent, const struct line *line)
{
	const struct scene *scene = lines->scene;
	const struct timing *timing = &scene->timing;

	if (scene->device[agent] || (line->depot != NOBODY && scene->mates[agent] >> line->depot & 1))
		return timing->shared_cache_ps;
	if (line->depot != NOBODY && scene->socket[line->depot] != scene->socket[agent])
		return timing->shared_cache_ps + timing->remote_ps;
	return timing->from_memory_ps + (line->home == scene->socket[agent] ? 0 : timing->remote_ps);
}

/* Time of a copy that others have: from the owner, the own shared cache, or the forwarder or old owner. */
static int64_t supply_ps(const struct lines *lines, int64_t agent, const struct line *line)
{
	if (line->owner == NOBODY && line->sharers & lines->scene->mates[agent])
		return lines->scene->timing.shared_cache_ps;
	return transfer_ps(lines, line->supplier, agent, line);
}

/* Spread a latency by the jitter; at least 2 ps, so that hand-overs take time. */
static int64_t jitter(struct lines *lines, int64_t latency_ps)
{
	int64_t half = lines->scene->timing.jitter;

	if (half)
		latency_ps = latency_ps * (JITTER_ONE + random_below(&lines->random, 2 * half + 1) - half) / JITTER_ONE;
	return max64(latency_ps, 2);
}

/* How long the holder keeps its line from the beginning of a transfer: it is gone before it arrives. Between sockets either the
 * request or its snoop has crossed the link by then. */
static int64_t kept_ps(const struct lines *lines, int64_t holder, int64_t requester, int64_t latency_ps)
{
	const struct scene *scene = lines->scene;
	int64_t link_ps = scene->socket[holder] != scene->socket[requester] ? scene->timing.remote_ps / 2 : 0;

	return max64(min64(scene->timing.snoop_ps + link_ps, latency_ps), 1);
}

/* DDIO: what a device has written goes to the shared cache, the device keeps nothing. */
static void deposit(struct line *line, struct copy *mine, int64_t device, int64_t gain)
{
	mine->read_until = mine->write_until = gain + 1;
	line->owner = line->supplier = NOBODY;
	line->sharers = 0;
	line->depot = (int32_t)device;
}

/* Make agent the only holder. */
static int64_t take(struct lines *lines, int64_t agent, int64_t number, int64_t now, uint64_t holders, int64_t hold_ps)
{
	struct line *line = &lines->line[number];
	struct copy *mine = lines_copy(lines, agent, number);
	int64_t latency = holders ? 0 : fetch_ps(lines, agent, line);
	int64_t start = max64(now, line->free_for_write), gain;

	for (uint64_t left = holders; left; left &= left - 1) /* the last acknowledgement counts */
		latency = max64(latency, transfer_ps(lines, __builtin_ctzll(left), agent, line));
	latency = jitter(lines, latency);
	gain = start + latency;
	for (uint64_t left = holders; left; left &= left - 1) {
		int64_t holder = __builtin_ctzll(left), until = start + kept_ps(lines, holder, agent, latency);
		struct copy *theirs = lines_copy(lines, holder, number);

		theirs->read_until = min64(theirs->read_until, until);
		theirs->write_until = min64(theirs->write_until, until);
	}
	if (!(line->sharers >> agent & 1)) /* otherwise an upgrade: the shared copy stays readable meanwhile */
		mine->read_from = gain;
	mine->read_until = NEVER;
	mine->write_from = gain;
	mine->write_until = NEVER;
	line->owner = line->supplier = (int32_t)agent;
	line->sharers = (uint64_t)1 << agent;
	line->free_for_read = line->free_for_write = gain + hold_ps;
	if (lines->scene->device[agent])
		deposit(line, mine, agent, gain);
	return gain;
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

		theirs->write_until = min64(theirs->write_until, start + kept_ps(lines, line->owner, agent, latency));
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
	const struct scene *scene = lines->scene;
	int64_t number = scene->word_lines[word];
	struct line *line = &lines->line[number];
	uint64_t holders = line->sharers & ~((uint64_t)1 << agent);

	if (line->home == FIRST_TOUCH)
		line->home = (int32_t)scene->socket[agent];
	/* A read of a line that nobody has is granted exclusive (E). */
	int64_t gain = write || !holders ? take(lines, agent, number, now, holders, hold_ps)
					 : share(lines, agent, number, now);

	lines->transactions[agent]++;
	lines->word_transactions[word] += now >= scene->warm_ps;
	lines->fingerprint = (lines->fingerprint ^ (uint64_t)gain) * FINGERPRINT_PRIME
			     + (uint64_t)(number * 128 + agent * 2 + write);
	return gain;
}
