/* An agenda: the streams of a lane, the one that is due first at the top (a binary heap).
 *
 * The ticks are kept beside the pointers, so that finding a stream's place touches no stream. Room is made beforehand by
 * the control thread; the poll thread never allocates.
 */
#ifndef VTREX_AGENDA_H
#define VTREX_AGENDA_H

#include <stdbool.h>
#include <stdint.h>

struct stream;

struct appointment {
	uint64_t due; /* next_due of the stream */
	struct stream *stream;
};

struct agenda {
	struct appointment *entries;
	uint32_t count, room;
};

/* Invariant: no entry is due before its parent. */
static inline bool agenda_is_due(const struct agenda *agenda, uint64_t now)
{
	return agenda->count != 0 && agenda->entries[0].due <= now;
}

void agenda_add(struct agenda *agenda, struct stream *stream);

/* Put the top at its place again after its stream's next_due has changed; take it off. */
void agenda_move_top(struct agenda *agenda);
void agenda_remove_top(struct agenda *agenda);

/* Read next_due of all streams anew, and take off those that `keep` does not want. */
void agenda_renew(struct agenda *agenda, bool (*keep)(struct stream *stream));

#endif
