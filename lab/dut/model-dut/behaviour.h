/* What the model does to frames: set by name before it begins, read by the polling core. lab/testbed/behaviour.py
 * explains every value to a user, under the same names.
 */
#ifndef BEHAVIOUR_H
#define BEHAVIOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "chance.h"

/* Which frames of a direction something happens to, by their numbers (0 is the first since the begin): the listed ones,
 * every n-th (n-1, 2n-1, ...) and those that chance draws; each time `burst_frames` in a row.
 */
struct picks {
	uint64_t *frames; /* ascending */
	uint64_t count;
	double every, burst_frames, ratio;
};

struct behaviour {
	struct picks lose, duplicate, move;
	double move_places, move_ns; /* one of them is 0 */
	double delay_ns, jitter_ns, keeps_order;
	double capacity_pps; /* of all directions together; 0: no limit */
	double queue_frames, noise_ratio, slow_pps, slow_share, interval_ms;
	double overloaded_pps, recovery_pps; /* 0: overload changes nothing */
	double hops, seed;
};

extern struct behaviour behaviour;

/* Where one direction is in one of the picks; zero at the begin. */
struct picker {
	uint64_t next;  /* first listed frame that has not come */
	uint64_t until; /* frames below it are of a run that has begun */
};

/* Forget all that was set. */
void behaviour_clear(void);

/* Set a value by its name; "1,2,3" where it is a list. Returns what is wrong, or NULL. */
const char *behaviour_set(const char *name, const char *value);

/* Say whether frame `number` of a direction is picked; numbers ascend from call to call. */
bool picks_has(const struct picks *picks, struct picker *at, enum purpose purpose, uint64_t direction, uint64_t number);

#endif
