/* When the frames of a verified stream were due: by its schedule, from which the numbers of frames part where some were too
 * late to be sent, as these have no numbers.
 */
#ifndef VTREX_TIMETABLE_H
#define VTREX_TIMETABLE_H

#include <stdbool.h>
#include <stdint.h>

#define TIMETABLE_ENTRIES 256u

/* Invariants: the entries' numbers rise. Number n of an entry's and up to the next entry's was due at the entry's tick
 * (and fraction of one) + (n - number) * period; from `unknown_from` on nobody knows.
 */
struct timetable {
	uint32_t count;
	uint64_t unknown_from;
	struct timetable_entry {
		uint64_t number, tick;
		double fraction, period;
	} entries[TIMETABLE_ENTRIES];
};

void timetable_begin(struct timetable *timetable);

/* The numbers from `entry.number` on are due as it says. Of two entries with the same number the second counts. */
void timetable_add(struct timetable *timetable, struct timetable_entry entry);

/* The numbers from this one on are due as nobody notes. */
void timetable_break(struct timetable *timetable, uint64_t number);

/* Ticks from the first frame's due to that of frame `number`; where it is unknown, as if the last entry went on. */
double timetable_after_first(const struct timetable *timetable, uint64_t number);

#endif
