#define _GNU_SOURCE /* sched_getcpu */
#include "poll.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>
#include <rte_common.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include "clock.h"
#include "device.h"
#include "transmit.h"
#include "trial.h"
#include "worker.h"

#define LOOK_AFTER 4 /* full bursts of a queue, while the thread is behind with sending */
#define LEFT_WAITING 64
#define RECEIVE_AT_ONCE 512u
#define SETTLE_NS 300e6 /* polls flat out this long after the end of traffic: frames are still under way */
#define QUIET_NS 20e6   /* and this long after a frame that came without traffic, or after something was run */
#define SHORTEST_NAP_US 50u
#define LONGEST_NAP_US 1000u /* 1024 descriptors then hold what comes at a million frames a second */

static int port_event_fd;
static atomic_bool stopping;
static atomic_bool posted;
static void (*posted_function)(void *);
static void *posted_argument;

/* Read by all workers in each turn, written when one begins or ends to transmit or something is run: on lines apart. */
static _Alignas(RTE_CACHE_LINE_SIZE) atomic_uint transmitting; /* workers with a port that does */
static _Alignas(RTE_CACHE_LINE_SIZE) atomic_bool gate_closed;
static _Alignas(RTE_CACHE_LINE_SIZE) atomic_uint parked;

void poll_run(void (*function)(void *argument), void *argument)
{
	posted_function = function;
	posted_argument = argument;
	atomic_store_explicit(&posted, true, memory_order_release);
	while (atomic_load_explicit(&posted, memory_order_acquire) && !atomic_load(&stopping))
		usleep(20);
}

/* Let all know whether a port of a worker transmits. The last worker that ceases to ends the trial.
 *
 * A worker becomes one that transmits while all stand still, so none ends a trial that another has just joined.
 */
static void tell_transmitting(struct worker *worker, uint64_t now)
{
	bool active = false;
	for (uint32_t i = 0; i < worker->port_count; i++)
		active = active || worker->ports[i]->active_count != 0;
	if (active == worker->transmitting)
		return;
	worker->transmitting = active;
	if (active)
		atomic_fetch_add(&transmitting, 1);
	else if (atomic_fetch_sub(&transmitting, 1) == 1)
		trial.end = now;
}

static void await_parked(uint32_t count)
{
	while (atomic_load_explicit(&parked, memory_order_acquire) != count && !atomic_load(&stopping))
		rte_pause();
}

/* First worker. */
static void run_posted(void)
{
	atomic_store_explicit(&gate_closed, true, memory_order_release);
	await_parked(worker_count - 1);
	posted_function(posted_argument);
	for (uint32_t i = 0; i < worker_count; i++)
		tell_transmitting(&workers[i], clock_ticks());
	atomic_store_explicit(&gate_closed, false, memory_order_release);
	await_parked(0);
	atomic_store_explicit(&posted, false, memory_order_release);
}

/* Any other worker. */
static void park(void)
{
	atomic_fetch_add_explicit(&parked, 1, memory_order_acq_rel);
	while (atomic_load_explicit(&gate_closed, memory_order_acquire) && !atomic_load(&stopping))
		rte_pause();
	atomic_fetch_sub_explicit(&parked, 1, memory_order_acq_rel);
}

static void tell_ended(void)
{
	const uint64_t one = 1;
	while (write(port_event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void stay_awake(struct worker *worker, uint64_t until)
{
	if (worker->awake_until < until)
		worker->awake_until = until;
	worker->nap_us = 0;
}

/* Sleep a moment, longer the longer it is quiet. The distance to the next checkpoint is then no gap. */
static void nap(struct worker *worker)
{
	worker->nap_us = RTE_MIN(RTE_MAX(2 * worker->nap_us, SHORTEST_NAP_US), LONGEST_NAP_US);
	worker->watch.last = 0;
	usleep(worker->nap_us);
}

/* How many more frames to take from a queue that has just given a full burst.
 *
 * All that wait, so that the DUT finds its queue empty when this thread is away for a moment. But not while frames are due
 * faster than they can be sent: a second look right after the first then meets a queue that another core is just filling,
 * finds few frames, and costs both cores the transfer of cache lines. Queues that are always emptied halve what a
 * vhost-user link carries at most.
 */
static uint32_t more(const struct worker *worker, struct port *port, uint16_t queue)
{
	if (likely(!worker->behind))
		return RECEIVE_AT_ONCE;
	if (++port->queues.full_bursts[queue] % LOOK_AFTER != 0)
		return 0;
	uint32_t waiting = RTE_MIN(device_waiting(port, queue), RECEIVE_AT_ONCE);
	return waiting > LEFT_WAITING ? waiting - LEFT_WAITING : 0;
}

/* Receive from one queue; returns how many frames came. */
static uint32_t receive(const struct worker *worker, struct port *port, uint16_t queue, uint64_t *now)
{
	uint32_t count = port_receive(port, queue), total = count;
	watch_checkpoint(port->watch, *now = clock_ticks());
	if (likely(count < BURST))
		return total;
	uint32_t enough = BURST + more(worker, port, queue);
	while (count == BURST && total < enough) {
		count = port_receive(port, queue);
		total += count;
		watch_checkpoint(port->watch, *now = clock_ticks());
	}
	return total;
}

/* Receiving goes first: were its queue full, frames would be lost here and blamed on the DUT. */
static uint32_t receive_all(const struct worker *worker, struct port *port, uint64_t *now)
{
	uint32_t all = 0;
	for (uint16_t queue = 0; queue < port->queues.count; queue++)
		all += receive(worker, port, queue, now);
	return all;
}

/* Receive and transmit on each port once; returns how many frames came. */
static uint32_t turn(struct worker *worker, uint64_t *now)
{
	uint32_t received = 0;
	bool behind = false;
	for (uint32_t i = 0; i < worker->port_count; i++) {
		struct port *port = worker->ports[i];
		uint64_t before = *now, sent_before = port->tx_packets;
		uint32_t count = receive_all(worker, port, now);
		if (transmit_due(port, *now)) {
			tell_transmitting(worker, *now);
			tell_ended();
		}
		watch_checkpoint(&worker->watch, *now = clock_ticks());
		if (count != 0 || port->tx_packets != sent_before)
			port->busy += *now - before;
		behind |= port->tx_packets - sent_before >= BURST;
		received += count;
	}
	worker->behind = behind;
	return received;
}

static int poll_main(void *argument)
{
	struct worker *worker = argument;
	const uint64_t settle = ns_to_ticks(SETTLE_NS), quiet = ns_to_ticks(QUIET_NS);
	worker->cpu = (uint32_t)sched_getcpu();
	__atomic_store_n(&worker->tid, (uint32_t)rte_gettid(), __ATOMIC_RELEASE);
	(void)setpriority(PRIO_PROCESS, worker->tid, -20); /* may be refused; then gaps show it */
	while (!atomic_load_explicit(&stopping, memory_order_relaxed)) {
		bool first = worker->index == 0;
		if (atomic_load_explicit(first ? &posted : &gate_closed, memory_order_acquire)) {
			if (first)
				run_posted();
			else
				park();
			stay_awake(worker, clock_ticks() + quiet);
		}
		uint64_t now = clock_ticks();
		uint32_t received = turn(worker, &now);
		if (atomic_load_explicit(&transmitting, memory_order_relaxed) != 0) {
			stay_awake(worker, now + settle);
			if (worker->watch.last == 0)
				worker->watch.last = now;
		} else {
			if (received != 0)
				stay_awake(worker, now + quiet);
			if (now > worker->awake_until)
				nap(worker);
		}
	}
	return 0;
}

void poll_start(int event_fd)
{
	port_event_fd = event_fd;
	for (uint32_t i = 0; i < worker_count; i++) {
		rte_eal_remote_launch(poll_main, &workers[i], workers[i].lcore);
		while (__atomic_load_n(&workers[i].tid, __ATOMIC_ACQUIRE) == 0)
			usleep(100);
	}
}

void poll_stop(void)
{
	atomic_store(&stopping, true);
	rte_eal_mp_wait_lcore();
}
