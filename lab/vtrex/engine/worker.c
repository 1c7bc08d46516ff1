#include "worker.h"

#include <rte_lcore.h>

struct worker workers[MAX_PORTS];
uint32_t worker_count;

static const struct watch *watches[MAX_PORTS];

void worker_setup(void)
{
	unsigned lcore;
	RTE_LCORE_FOREACH_WORKER(lcore) {
		if (worker_count == port_count)
			break;
		workers[worker_count] = (struct worker){.index = worker_count, .lcore = lcore};
		watches[worker_count] = &workers[worker_count].watch;
		worker_count++;
	}
	for (uint32_t i = 0; i < port_count; i++) {
		struct worker *worker = &workers[i % worker_count];
		worker->ports[worker->port_count++] = &ports[i];
		ports[i].watch = &worker->watch;
	}
}

const struct watch *const *worker_watches(void) { return watches; }
