#include "capacity.h"

#include <math.h>

#include "behaviour.h"

/* Invariant: the queue holds (free_at - now) / service frames, the one in service among them. */
static struct {
	double ticks_per_second;
	double service;       /* of a frame, in ticks; 0: no limit */
	double free_at;       /* when the server has done with all that was let in */
	double interval;      /* in ticks: within one, capacity changes by overload only */
	double interval_end;
	uint64_t interval_number;
	uint64_t arrived;     /* in this interval */
	bool overloaded;      /* since a frame was dropped, until an interval brings less than recovery_pps */
} server;

static double gauss(uint64_t index)
{
	uint64_t seed = (uint64_t)behaviour.seed;
	double radius = sqrt(-2 * log(1 - chance(seed, CHANCE_NOISE_1, 0, index)));
	return radius * cos(2 * M_PI * chance(seed, CHANCE_NOISE_2, 0, index));
}

/* Set the service time of the interval that has begun, or of what is left of it. The frames in the queue stay as many:
 * they are served as fast as those that come.
 */
static void set_service(double at)
{
	if (behaviour.capacity_pps <= 0)
		return;
	double queued = server.service > 0 ? fmax(server.free_at - at, 0) / server.service : 0;
	double pps = behaviour.capacity_pps;
	if (chance((uint64_t)behaviour.seed, CHANCE_SLOW, 0, server.interval_number) < behaviour.slow_share)
		pps = behaviour.slow_pps;
	if (server.overloaded)
		pps = fmin(pps, behaviour.overloaded_pps);
	double varied = pps * (1 + behaviour.noise_ratio * gauss(server.interval_number));
	server.service = server.ticks_per_second / fmax(varied, 0.01 * pps);
	if (queued > 0)
		server.free_at = at + queued * server.service;
}

void capacity_begin(double ticks_per_second)
{
	server.ticks_per_second = ticks_per_second;
	server.service = server.free_at = 0;
	server.interval = fmax(behaviour.interval_ms, 1e-3) * 1e-3 * ticks_per_second;
	server.interval_end = server.interval;
	server.interval_number = server.arrived = 0;
	server.overloaded = false;
	set_service(0);
}

static void next_interval(double at)
{
	double passed = 1 + floor((at - server.interval_end) / server.interval);
	double seconds = passed * server.interval / server.ticks_per_second;
	if ((double)server.arrived / seconds < behaviour.recovery_pps)
		server.overloaded = false;
	server.interval_end += passed * server.interval;
	server.interval_number += (uint64_t)passed;
	server.arrived = 0;
	set_service(at);
}

bool capacity_admit(double at, double *served)
{
	if (server.service <= 0) {
		*served = at;
		return true;
	}
	if (at >= server.interval_end)
		next_interval(at);
	server.arrived++;
	server.free_at = fmax(server.free_at, at);
	if (server.free_at - at > (behaviour.queue_frames - 1) * server.service) {
		if (behaviour.overloaded_pps > 0 && !server.overloaded) {
			server.overloaded = true;
			set_service(at);
		}
		return false;
	}
	server.free_at += server.service;
	*served = server.free_at;
	return true;
}
