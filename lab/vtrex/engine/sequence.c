#include "sequence.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define WORDS (SEQUENCE_BITS_KEPT / 64)

void sequence_begin(struct sequence *sequence)
{
	memset(sequence, 0, offsetof(struct sequence, gaps));
	memset(sequence->extents, 0, sizeof(sequence->extents));
}

/* Clear the words that the numbers from newest to `number` enter; of a long jump only those that stay. */
static void enter(struct sequence *sequence, uint64_t number)
{
	uint64_t word = (sequence->newest + 63) / 64, last = number / 64;
	if (last >= WORDS && word < last - WORDS + 1)
		word = last - WORDS + 1;
	for (; word <= last; word++)
		sequence->seen[word % WORDS] = 0;
}

static void skipped(struct sequence *sequence, uint64_t number)
{
	uint64_t place = sequence->gap_count++ % SEQUENCE_GAPS;
	sequence->gaps[place].first = sequence->newest;
	sequence->gaps[place].end = number;
	sequence->gaps[place].position = sequence->distinct;
}

/* The place among the first copies of the earliest greater number; UINT64_MAX when its gap has been forgotten. */
static uint64_t earliest_greater(const struct sequence *sequence, uint64_t number)
{
	uint64_t high = sequence->gap_count, low = high > SEQUENCE_GAPS ? high - SEQUENCE_GAPS : 0;
	while (low < high) {
		uint64_t middle = (low + high) / 2;
		if (sequence->gaps[middle % SEQUENCE_GAPS].end > number)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == sequence->gap_count || sequence->gaps[low % SEQUENCE_GAPS].first > number)
		return UINT64_MAX;
	return sequence->gaps[low % SEQUENCE_GAPS].position;
}

static void came_late(struct sequence *sequence, uint64_t number)
{
	uint64_t earliest = earliest_greater(sequence, number);
	sequence->reordered++;
	if (earliest == UINT64_MAX) {
		sequence->extent_unknown++;
		return;
	}
	uint64_t extent = sequence->distinct - earliest;
	sequence->extent_sum += extent;
	if (extent > sequence->extent_max)
		sequence->extent_max = extent;
	sequence->extents[histogram_index(extent)]++;
}

/* A frame that is not the next one. */
static enum sequence_place out_of_turn(struct sequence *sequence, uint64_t number, uint64_t given)
{
	if (number >= given) {
		sequence->never_sent++;
		return SEQUENCE_BEHIND;
	}
	if (number + SEQUENCE_WINDOW < sequence->newest) {
		sequence->too_old++;
		return SEQUENCE_BEHIND;
	}
	bool late = number < sequence->newest;
	if (!late) {
		enter(sequence, number);
		if (number > sequence->newest)
			skipped(sequence, number);
		sequence->newest = number + 1;
	}
	uint64_t *word = &sequence->seen[number / 64 % WORDS], bit = 1ull << (number % 64);
	if ((*word & bit) != 0) {
		sequence->duplicates++;
		return SEQUENCE_BEHIND;
	}
	*word |= bit;
	if (late)
		came_late(sequence, number);
	sequence->distinct++;
	return late ? SEQUENCE_BEHIND : SEQUENCE_AHEAD;
}

enum sequence_place sequence_note(struct sequence *sequence, uint32_t number32, uint64_t given)
{
	uint64_t next = sequence->newest;
	if (number32 != (uint32_t)next || next >= given) {
		uint64_t number = next + (uint64_t)(int64_t)(int32_t)(number32 - (uint32_t)next);
		return out_of_turn(sequence, number, given);
	}
	uint64_t *word = &sequence->seen[next / 64 % WORDS];
	*word = (next % 64 == 0 ? 0 : *word) | 1ull << (next % 64);
	sequence->newest = next + 1;
	sequence->distinct++;
	return SEQUENCE_NEXT;
}
