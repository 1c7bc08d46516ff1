#include "poll.h"

#include <stdatomic.h>
#include <unistd.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "capacity.h"
#include "direction.h"

#define BURST 64
#define TURN_MOST 1024u /* frames of a port in a turn: all that its ring holds after a pause */
#define IDLE_US 200

static atomic_bool running, wanted, paused, ended;
static uint64_t begun; /* TSC */
static double last_turn;
static struct rte_mbuf *frames[MAX_PORTS][TURN_MOST];

static double since_begin(void) { return (double)(rte_rdtsc() - begun); }

void poll_run(bool run) { running = run; }

void poll_pause(void)
{
	wanted = true;
	while (!paused)
		usleep(10);
}

void poll_resume(void)
{
	wanted = false;
	while (paused)
		usleep(10);
}

void poll_end(void) { ended = true; }

void poll_begin(void)
{
	for (uint32_t i = 0; i < direction_count; i++)
		direction_begin(directions[i]);
	begun = rte_rdtsc();
	last_turn = dead_until = 0;
	capacity_begin((double)rte_get_tsc_hz());
}

void poll_die(double seconds) { dead_until = since_begin() + seconds * (double)rte_get_tsc_hz(); }

static uint32_t drain(uint16_t port, struct rte_mbuf **into)
{
	uint32_t count = 0;
	while (count + BURST <= TURN_MOST) {
		uint32_t more = rte_eth_rx_burst(port, 0, into + count, BURST);
		count += more;
		if (more < BURST)
			break;
	}
	return count;
}

/* Hand the frames that came since the last turn to their directions. What came meanwhile came at some time between the
 * two turns; it is taken to have come evenly, so that a pause of this core is no burst to the model's own queue.
 */
static void take_all(const uint32_t *counts, double now)
{
	uint32_t next[MAX_PORTS] = {0};
	for (;;) {
		uint32_t first = direction_count;
		double earliest = 0;
		for (uint32_t i = 0; i < direction_count; i++) {
			if (next[i] == counts[i])
				continue;
			double at = last_turn + (now - last_turn) * (next[i] + 1) / counts[i];
			if (first == direction_count || at < earliest) {
				first = i;
				earliest = at;
			}
		}
		if (first == direction_count)
			return;
		direction_take(directions[first], frames[first][next[first]++], earliest, now);
	}
}

static void turn(void)
{
	uint32_t counts[MAX_PORTS], held = 0;
	for (uint32_t i = 0; i < direction_count; i++)
		held += direction_held(directions[i]);
	bool full = held >= HELD_LIMIT;
	for (uint32_t i = 0; i < direction_count && !full; i++)
		counts[i] = drain(directions[i]->in, frames[i]);
	double now = since_begin();
	if (!full) {
		take_all(counts, now);
		last_turn = now;
	}
	for (uint32_t i = 0; i < direction_count; i++)
		direction_send(directions[i], now);
}

int poll_main(void *unused)
{
	(void)unused;
	while (!ended) {
		if (wanted) {
			paused = true;
			while (wanted)
				rte_pause();
			paused = false;
		}
		if (running)
			turn();
		else
			usleep(IDLE_US);
	}
	return 0;
}
