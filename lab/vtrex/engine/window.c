#include "window.h"

void window_enter(struct window *window, uint64_t number)
{
	uint64_t words = window->size / 64, word = (window->newest + 63) / 64, last = number / 64;
	uint64_t looked_at = last - word < words ? last + 1 : word + words;
	for (; word < looked_at; word++) {
		uint64_t *place = &window->seen[word & (words - 1)];
		if (word >= words && *place != UINT64_MAX)
			losses_add_zeros(&window->left, (word - words) * 64, *place);
		*place = 0;
	}
	if (word <= last) /* a jump over more than the window: nothing of what is between has come */
		losses_add(&window->left, (word - words) * 64, (last + 1 - word) * 64);
}

struct losses window_losses(const struct window *window, uint64_t given)
{
	struct losses all = window->left;
	uint64_t words = window->size / 64, end = (window->newest + 63) / 64;
	for (uint64_t word = end < words ? 0 : end - words; word < end; word++) {
		uint64_t seen = window->seen[word & (words - 1)];
		if (word + 1 == end && window->newest % 64 != 0)
			seen |= UINT64_MAX << (window->newest % 64);
		losses_add_zeros(&all, word * 64, seen);
	}
	if (given > window->newest)
		losses_add(&all, window->newest, given - window->newest);
	return all;
}
