/* Measures this host for the simulator: the frequency of the time stamp counter, and the one-way cache-to-cache time between
 * CPUs as half a CAS ping-pong, in many short windows (the pair's latency may change from second to second on a shared host).
 *
 * usage: hostprobe SECONDS CPU CPU [CPU ...]      measures every pair with the first CPU in turn
 * prints one JSON object: {"tsc_hz": N, "windows": [{"cpus": [a, b], "one_way_ns": X}, ...]}
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "probe.h"

#define ROUND_TRIPS 500
#define WARM_ROUND_TRIPS 50
#define PAUSE_US 500 /* between windows: they are spread over the whole time */
#define MAX_WINDOWS 4096

/* The two sides hand `ball` back and forth: 0 means the server's turn, 1 the returner's, 2 the end. Nothing else lies on its
 * pair of lines. */
struct game {
	_Alignas(128) atomic_int ball;
	_Alignas(128) int cpu;
};

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
