#include "agenda.h"

#include "stream.h"

/* Let an entry sink from `place` to where it belongs. */
static void sink(struct agenda *agenda, uint32_t place, struct appointment entry)
{
	struct appointment *entries = agenda->entries;
	for (uint32_t child; (child = 2 * place + 1) < agenda->count; place = child) {
		if (child + 1 < agenda->count && entries[child + 1].due < entries[child].due)
			child++;
		if (entry.due <= entries[child].due)
			break;
		entries[place] = entries[child];
	}
	entries[place] = entry;
}

void agenda_add(struct agenda *agenda, struct stream *stream)
{
	struct appointment *entries = agenda->entries;
	uint32_t place = agenda->count++;
	for (uint32_t parent; place != 0 && entries[parent = (place - 1) / 2].due > stream->next_due; place = parent)
		entries[place] = entries[parent];
	entries[place] = (struct appointment){stream->next_due, stream};
}

void agenda_move_top(struct agenda *agenda)
{
	struct stream *stream = agenda->entries[0].stream;
	sink(agenda, 0, (struct appointment){stream->next_due, stream});
}

void agenda_remove_top(struct agenda *agenda)
{
	if (--agenda->count != 0)
		sink(agenda, 0, agenda->entries[agenda->count]);
}

void agenda_renew(struct agenda *agenda, bool (*keep)(struct stream *stream))
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < agenda->count; i++) {
		struct stream *stream = agenda->entries[i].stream;
		if (keep(stream))
			agenda->entries[kept++] = (struct appointment){stream->next_due, stream};
	}
	agenda->count = kept;
	for (uint32_t place = kept / 2; place-- > 0;)
		sink(agenda, place, agenda->entries[place]);
}
