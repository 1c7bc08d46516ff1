/* Cache lines: who may read or write which line when, and who supplies it. The rules are those of lab/simulation/lines.py.
 *
 * A line is a FIFO of transactions; its state is that after the last transaction queued.
 *
 * Invariants, for every line at every time:
 *   - at most one agent may write, and while one may, no other may read;
 *   - a transaction that invalidates starts when everything before it has ended;
 *   - the holder keeps its line until the snoop of the next transaction is served, a share (snoop) of it later.
 */
#ifndef PIXSIM_LINES_H
#define PIXSIM_LINES_H

#include <stdbool.h>

#include "scene.h"

#define NOBODY (-1)

struct line {
	uint64_t sharers;                     /* a bit an agent */
	int64_t free_for_read, free_for_write;
	int32_t owner, supplier;              /* of a shared line the forwarder (F, MESIF) or the old owner (O, MOESI) */
	int32_t home;                         /* socket of its memory, FIRST_TOUCH before the first request */
	int32_t depot;                        /* device that wrote it last, for when no private cache has it; or NOBODY */
};

/* One agent's copy of one line. */
struct copy {
	int64_t read_from, read_until, write_from, write_until;
};

struct lines {
	const struct scene *scene;
	struct line *line;                    /* [lines] */
	struct copy *copy;                    /* [agent * lines + line] */
	int64_t *transactions;                /* [agents] */
	int64_t *word_transactions;           /* [words] */
	uint64_t random, fingerprint;
};

static inline struct copy *lines_copy(const struct lines *lines, int64_t agent, int64_t line)
{
	return &lines->copy[agent * lines->scene->lines + line];
}

static inline bool copy_readable(const struct copy *copy, int64_t now)
{
	return copy->read_from <= now && now < copy->read_until;
}

static inline bool copy_writable(const struct copy *copy, int64_t now)
{
	return copy->write_from <= now && now < copy->write_until;
}

/* Queue a transaction of agent for a word; returns the time at which it gains its line. */
int64_t lines_acquire(struct lines *lines, int64_t agent, int64_t word, bool write, int64_t now, int64_t hold_ps);

#endif
