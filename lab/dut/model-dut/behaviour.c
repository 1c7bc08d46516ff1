#include "behaviour.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct behaviour behaviour;

static const struct {
	const char *name;
	size_t offset;
} values[] = {
#define VALUE(member) {#member, offsetof(struct behaviour, member)}
	VALUE(lose.every), VALUE(lose.burst_frames), VALUE(lose.ratio),
	VALUE(duplicate.every), VALUE(duplicate.burst_frames), VALUE(duplicate.ratio),
	VALUE(move.every), VALUE(move.burst_frames), VALUE(move.ratio),
	VALUE(move_places), VALUE(move_ns), VALUE(delay_ns), VALUE(jitter_ns), VALUE(keeps_order),
	VALUE(capacity_pps), VALUE(queue_frames), VALUE(noise_ratio), VALUE(slow_pps), VALUE(slow_share),
	VALUE(interval_ms), VALUE(overloaded_pps), VALUE(recovery_pps), VALUE(hops), VALUE(seed),
#undef VALUE
};

static const struct {
	const char *name;
	struct picks *picks;
} lists[] = {
	{"lose.frames", &behaviour.lose},
	{"duplicate.frames", &behaviour.duplicate},
	{"move.frames", &behaviour.move},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void behaviour_clear(void)
{
	for (size_t i = 0; i < COUNT(lists); i++)
		free(lists[i].picks->frames);
	memset(&behaviour, 0, sizeof(behaviour));
}

static const char *set_list(struct picks *picks, const char *text)
{
	uint64_t commas = 0;
	for (const char *at = text; *at != '\0'; at++)
		commas += *at == ',';
	free(picks->frames);
	picks->frames = malloc((commas + 1) * sizeof(*picks->frames));
	picks->count = 0;
	if (picks->frames == NULL)
		return "no memory for the list";
	while (*text != '\0') {
		char *end;
		uint64_t frame = strtoull(text, &end, 10);
		if (end == text || (*end != ',' && *end != '\0'))
			return "no list of numbers";
		if (picks->count > 0 && frame <= picks->frames[picks->count - 1])
			return "the list does not ascend";
		picks->frames[picks->count++] = frame;
		text = *end == ',' ? end + 1 : end;
	}
	return NULL;
}

const char *behaviour_set(const char *name, const char *value)
{
	for (size_t i = 0; i < COUNT(lists); i++)
		if (strcmp(lists[i].name, name) == 0)
			return set_list(lists[i].picks, value);
	for (size_t i = 0; i < COUNT(values); i++) {
		if (strcmp(values[i].name, name) != 0)
			continue;
		char *end;
		double number = strtod(value, &end);
		if (end == value || *end != '\0' || !(number >= 0))
			return "no number of 0 or more";
		*(double *)((char *)&behaviour + values[i].offset) = number;
		return NULL;
	}
	return "unknown name";
}

static bool begins_run(const struct picks *picks, struct picker *at, enum purpose purpose, uint64_t direction,
		       uint64_t number)
{
	while (at->next < picks->count && picks->frames[at->next] < number)
		at->next++;
	if (at->next < picks->count && picks->frames[at->next] == number)
		return true;
	if (picks->every > 0 && (number + 1) % (uint64_t)picks->every == 0)
		return true;
	return picks->ratio > 0 && chance((uint64_t)behaviour.seed, purpose, direction, number) < picks->ratio;
}

bool picks_has(const struct picks *picks, struct picker *at, enum purpose purpose, uint64_t direction, uint64_t number)
{
	if (begins_run(picks, at, purpose, direction, number))
		at->until = number + (uint64_t)picks->burst_frames;
	return number < at->until;
}
