#define _GNU_SOURCE /* sched_getcpu */
#include "poll.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>
#include <rte_common.h>
#include <rte_lcore.h>

#include "clock.h"
#include "port.h"
#include "trial.h"

#define RECEIVE_AT_ONCE 512
#define SETTLE_NS 300e6 /* polls flat out this long after the end of traffic: frames are still under way */
#define QUIET_NS 20e6   /* and this long after a frame that came without traffic */
#define SHORTEST_NAP_US 50u
#define LONGEST_NAP_US 1000u /* 1024 descriptors then hold what comes at a million frames a second */

uint32_t poll_tid, poll_cpu;

static atomic_bool stopping;
static atomic_bool posted;
static void (*posted_function)(void *);
static void *posted_argument;

void poll_stop(void) { atomic_store(&stopping, true); }

void poll_run(void (*function)(void *), void *argument)
{
	posted_function = function;
	posted_argument = argument;
	atomic_store_explicit(&posted, true, memory_order_release);
	while (atomic_load_explicit(&posted, memory_order_acquire) && !atomic_load(&stopping))
		usleep(20);
}

static bool any_active(void)
{
	for (uint32_t i = 0; i < port_count; i++)
		if (ports[i].active_count != 0)
			return true;
	return false;
}

static void port_ended(int event_fd, uint64_t now)
{
	const uint64_t one = 1;
	if (!any_active())
		trial.end = now;
	while (write(event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* Sleep a moment, longer the longer it is quiet. The distance to the next checkpoint is then no gap. */
static uint32_t nap(uint32_t last_us)
{
	uint32_t nap_us = RTE_MIN(RTE_MAX(2 * last_us, SHORTEST_NAP_US), LONGEST_NAP_US);
	trial.last = 0;
	usleep(nap_us);
	return nap_us;
}

/* Receiving goes first: were its queue full, frames would be lost here and blamed on the DUT. */
static uint32_t receive_all(struct port *port, uint64_t *now)
{
	uint32_t all = 0;
	for (uint16_t queue = 0; queue < port->queues.count; queue++) {
		uint32_t total = 0, count;
		do {
			count = port_receive(port, queue);
			total += count;
			trial_checkpoint(*now = clock_ticks());
		} while (count == BURST && total < RECEIVE_AT_ONCE);
		all += total;
	}
	return all;
}

int poll_main(void *argument)
{
	int event_fd = *(int *)argument;
	uint64_t awake_until = 0;
	uint32_t nap_us = 0;
	poll_cpu = (uint32_t)sched_getcpu();
	poll_tid = (uint32_t)rte_gettid();
	(void)setpriority(PRIO_PROCESS, poll_tid, -20); /* may be refused; then gaps show it */
	while (!atomic_load_explicit(&stopping, memory_order_relaxed)) {
		uint64_t now = clock_ticks();
		if (atomic_load_explicit(&posted, memory_order_acquire)) {
			posted_function(posted_argument);
			atomic_store_explicit(&posted, false, memory_order_release);
			now = clock_ticks();
		}
		uint32_t received = 0;
		for (uint32_t i = 0; i < port_count; i++) {
			uint64_t before = now, sent_before = ports[i].tx_packets;
			uint32_t count = receive_all(&ports[i], &now);
			if (port_transmit(&ports[i], now)) {
				port_ended(event_fd, now);
				awake_until = now + ns_to_ticks(SETTLE_NS);
			}
			trial_checkpoint(now = clock_ticks());
			if (count != 0 || ports[i].tx_packets != sent_before)
				ports[i].busy += now - before;
			received += count;
		}
		if (any_active()) {
			if (trial.last == 0)
				trial.last = now;
		} else {
			if (received != 0 && awake_until < now + ns_to_ticks(QUIET_NS))
				awake_until = now + ns_to_ticks(QUIET_NS);
			nap_us = now > awake_until ? nap(nap_us) : 0;
		}
	}
	return 0;
}
