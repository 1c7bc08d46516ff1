/* The single-producer single-consumer ring of lab/simulation/workload/spsc.py: the same algorithm, run by this host.
 *
 * Invariants:
 *   - only the producer writes tail, only the consumer head; both only grow, and head <= tail <= head + entries;
 *   - slot n mod entries is the producer's while n - head < entries, else the consumer's;
 *   - message n carries n + 1;
 *   - an index is published after what it publishes was written or read, once for each turn of at most batch messages.
 */
#ifndef PIXSIM_SPSC_H
#define PIXSIM_SPSC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* When a side looks at the index of the other: before each message, once a turn, only when its copy says full or empty. */
enum variant { LAMPORT, BATCHED, CACHED, VARIANTS };

struct ring {
	_Atomic uint64_t *tail, *head, *slots;
	uint64_t entries;                     /* a power of two */
};

/* What one side knows: messages that it put or took, the other's index when it last looked, messages out of order. */
struct end {
	uint64_t next, seen, wrong;
};

/* Slots are relaxed atomics, so that the compiler keeps one access for each message, as the simulated core does. */
static inline _Atomic uint64_t *slot_of(const struct ring *ring, uint64_t message)
{
	return &ring->slots[message & (ring->entries - 1)];
}

static inline bool looks(enum variant variant, uint64_t count, bool must_wait)
{
	return variant == LAMPORT || (variant == BATCHED && !count) || (variant == CACHED && must_wait);
}

/* One turn of the producer; returns how many messages it put. */
static inline __attribute__((always_inline)) uint64_t ring_put(struct ring ring, struct end *end, enum variant variant,
							       uint64_t batch)
{
	uint64_t count = 0;

	for (; count < batch; count++) {
		if (looks(variant, count, end->next - end->seen == ring.entries))
			end->seen = atomic_load_explicit(ring.head, memory_order_acquire);
		if (end->next - end->seen == ring.entries)
			break;
		_Atomic uint64_t *slot = slot_of(&ring, end->next);

		atomic_store_explicit(slot, ++end->next, memory_order_relaxed);
	}
	if (count)
		atomic_store_explicit(ring.tail, end->next, memory_order_release);
	return count;
}

/* One turn of the consumer; returns how many messages it took. */
static inline __attribute__((always_inline)) uint64_t ring_take(struct ring ring, struct end *end, enum variant variant,
								uint64_t batch)
{
	uint64_t count = 0;

	for (; count < batch; count++) {
		if (looks(variant, count, end->next == end->seen))
			end->seen = atomic_load_explicit(ring.tail, memory_order_acquire);
		if (end->next == end->seen)
			break;
		_Atomic uint64_t *slot = slot_of(&ring, end->next);

		end->wrong += atomic_load_explicit(slot, memory_order_relaxed) != ++end->next;
	}
	if (count)
		atomic_store_explicit(ring.head, end->next, memory_order_release);
	return count;
}

#endif
