#include "timetable.h"

void timetable_begin(struct timetable *timetable)
{
	timetable->count = 0;
	timetable->unknown_from = UINT64_MAX;
}

void timetable_break(struct timetable *timetable, uint64_t number)
{
	if (number < timetable->unknown_from)
		timetable->unknown_from = number;
}

void timetable_add(struct timetable *timetable, struct timetable_entry entry)
{
	if (timetable->count != 0 && timetable->entries[timetable->count - 1].number == entry.number)
		timetable->entries[timetable->count - 1] = entry;
	else if (timetable->count < TIMETABLE_ENTRIES)
		timetable->entries[timetable->count++] = entry;
	else
		timetable_break(timetable, entry.number);
}

double timetable_after_first(const struct timetable *timetable, uint64_t number)
{
	const struct timetable_entry *first = timetable->entries, *entry = first;
	for (uint32_t i = 1; i < timetable->count && timetable->entries[i].number <= number; i++)
		entry = &timetable->entries[i];
	if (timetable->count == 0)
		return 0;
	return (double)(entry->tick - first->tick) + entry->fraction - first->fraction +
	       (double)(number - entry->number) * entry->period;
}
