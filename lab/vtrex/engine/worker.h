/* A worker: one polling thread, the only one that receives and transmits on its ports.
 *
 * What a worker writes while it polls is its own: its watch, its ports, and the counters that its ports keep of each flow
 * (flow.h). What frames from several ports may meet in is locked (flow.h, capture.h) where there is more than one.
 */
#ifndef VTREX_WORKER_H
#define VTREX_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_common.h>

#include "port.h"
#include "trial.h"

struct worker {
	uint32_t index, lcore;
	uint32_t tid, cpu; /* of the thread; the CPU is set before the thread id */
	uint32_t port_count;
	struct port *ports[MAX_PORTS];
	bool behind; /* it sent a full burst in its last turn: more may have been due */
	bool transmitting; /* counted in the number of workers that do */
	uint64_t awake_until;
	uint32_t nap_us;
	struct watch watch;
} __rte_cache_aligned;

extern struct worker workers[MAX_PORTS];
extern uint32_t worker_count;

/* Make a worker of each of the EAL's lcores but the main one, at most one a port, and deal the open ports to them. */
void worker_setup(void);

/* The watches of all workers. */
const struct watch *const *worker_watches(void);

#endif
