/* Measures this host for the simulator: the frequency of the time stamp counter, and the one-way cache-to-cache time between
 * CPUs as half a CAS ping-pong, in many short windows (the pair's latency may change from second to second on a shared host).
 *
 * usage: hostprobe SECONDS CPU CPU [CPU ...]      measures every pair with the first CPU in turn
 * prints one JSON object: {"tsc_hz": N, "windows": [{"cpus": [a, b], "one_way_ns": X}, ...]}
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define ROUND_TRIPS 500
#define WARM_ROUND_TRIPS 50
#define PAUSE_US 500 /* between windows: they are spread over the whole time */
#define MAX_WINDOWS 4096
#define CLOCK_TRIES 50

/* The two sides hand `ball` back and forth: 0 means the server's turn, 1 the returner's, 2 the end. Nothing else lies on its
 * pair of lines. */
struct game {
	_Alignas(128) atomic_int ball;
	_Alignas(128) int cpu;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0;
}

static bool pass(atomic_int *ball, int from, int to)
{
	int expected = from;

	while (!atomic_compare_exchange_weak(ball, &expected, to)) {
		if (expected == 2)
			return false;
		expected = from;
	}
	return true;
}

static void *returner(void *argument)
{
	struct game *game = argument;

	pin(game->cpu);
	while (pass(&game->ball, 1, 0))
		;
	return NULL;
}

/* Play with another CPU for some time; prints a window each ROUND_TRIPS. Returns false when a thread cannot be made. */
static bool play(int home, int away, double until_s, double tsc_hz, int *windows)
{
	struct game game = {.ball = 0, .cpu = away};
	pthread_t thread;

	if (pthread_create(&thread, NULL, returner, &game))
		return false;
	for (int i = 0; i < ROUND_TRIPS; i++) /* the other side has arrived, and is warm */
		pass(&game.ball, 0, 1);
	while (now_s() < until_s && *windows < MAX_WINDOWS) {
		usleep(PAUSE_US);
		for (int i = 0; i < WARM_ROUND_TRIPS; i++)
			pass(&game.ball, 0, 1);
		uint64_t begin = __rdtsc();

		for (int i = 0; i < ROUND_TRIPS; i++)
			pass(&game.ball, 0, 1);
		double one_way_ns = (double)(__rdtsc() - begin) / tsc_hz * 1e9 / (2.0 * ROUND_TRIPS);

		printf("%s{\"cpus\": [%d, %d], \"one_way_ns\": %.3f}", *windows ? ", " : "", home, away, one_way_ns);
		++*windows;
	}
	while (!pass(&game.ball, 0, 2))
		;
	pthread_join(thread, NULL);
	return true;
}

struct instant {
	double clock_s, tsc;
};

/* Both clocks at one time: the closest of many tries, so that no interruption lies between the two. */
static struct instant read_both(void)
{
	struct instant best = {0, 0};
	uint64_t closest = UINT64_MAX;

	for (int i = 0; i < CLOCK_TRIES; i++) {
		uint64_t before = __rdtsc();
		double clock_s = now_s();
		uint64_t after = __rdtsc();

		if (after - before < closest) {
			closest = after - before;
			best = (struct instant){clock_s, ((double)before + (double)after) / 2};
		}
	}
	return best;
}

static double measure_tsc_hz(double seconds)
{
	struct instant begin = read_both(), end;

	do
		end = read_both();
	while (end.clock_s - begin.clock_s < seconds);
	return (end.tsc - begin.tsc) / (end.clock_s - begin.clock_s);
}

int main(int argc, char **argv)
{
	int windows = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: hostprobe SECONDS CPU CPU [CPU ...]\n");
		return 2;
	}
	double seconds = atof(argv[1]), begin_s = now_s();
	int home = atoi(argv[2]), others = argc - 3;

	if (seconds <= 0 || !pin(home)) {
		fprintf(stderr, "hostprobe: cannot run on CPU %s for %s seconds\n", argv[2], argv[1]);
		return 1;
	}
	double tsc_hz = measure_tsc_hz(seconds / 20);

	printf("{\"tsc_hz\": %.0f, \"windows\": [", tsc_hz);
	double each_s = (begin_s + seconds - now_s()) / others;

	for (int i = 0; i < others; i++)
		if (!play(home, atoi(argv[3 + i]), now_s() + each_s, tsc_hz, &windows)) {
			fprintf(stderr, "hostprobe: cannot start a thread\n");
			return 1;
		}
	printf("]}\n");
	return 0;
}
