/* Measures this host for the calibration of the simulator: rings and counters between two pinned threads, memory latency and the
 * clock of the first CPU, in many short windows, each between two CAS ping-pongs that tell how far the CPUs are apart meanwhile.
 *
 * usage: ringprobe SECONDS CPU CPU POINT [POINT ...]
 *   spsc:VARIANT:BATCH:APART_BYTES     messages a second over a ring (spsc.h) whose indices are so far apart; from CPU to CPU
 *   counters:APART_BYTES               locked increments a second of two words so far apart, one each, both together
 *   chase:BYTES                        dependent loads a second, over so much memory in random order; first CPU alone
 *   clock                              cycles a second of the first CPU: products that depend on each other
 *   stores                             stores a second of the first CPU to the words of one line that it has
 *
 * prints one JSON object a line: {"tsc_hz": N, "fifo": true}, then windows, in turns forwards and backwards (A B B A):
 * {"point": "spsc:cached:4:128", "round": N, "rate": X, "before_ns": X, "after_ns": X, "gap_us": X, "wrong": N}
 * gap_us is the longest time that a thread looked away: longer than a few us, somebody else had its CPU.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe.h"
#include "spsc.h"

#define ENTRIES 256
#define WINDOW_S 2e-3
#define WARM_S 0.2e-3
#define PAUSE_US 2000      /* between windows: the threads ask for real-time priority, and others live here, too */
#define TURNS_A_LOOK 64    /* turns between two looks at the clock */
#define ROUND_TRIPS 100
#define PING_PONGS 4       /* the fastest counts: the others may have been interrupted */
#define MAX_POINTS 64
#define MAX_APART 4096
#define PLACES 512
#define LINE 64
#define STEPS_A_LOOK 32
#define MANY_A_LOOK 1024   /* products, stores: so many that looking hardly counts */
#define LAP_STEPS 131072   /* of 8 MiB; what is larger does not fit anyway */
#define PRODUCT_CYCLES 3   /* latency of imul on all x86-64 since 2006 but Atoms (Intel and AMD optimization manuals) */

enum kind { SPSC, COUNTERS, CHASE, CLOCK, STORES };

struct point {
	const char *name;
	enum kind kind;
	enum variant variant;
	uint64_t batch, bytes;                /* bytes: apart (SPSC, COUNTERS), or of the memory (CHASE) */
};

/* What one thread found out in a window: operations, in so many ticks; the longest time between two looks at the clock. */
struct found {
	uint64_t operations, ticks, gap, wrong;
};

/* Where the words of a window lie. Which slice of the shared cache a line belongs to follows from its address, and a transfer takes
 * as long as that is away from both cores: each round takes other lines. */
struct place {
	_Alignas(4096) unsigned char indices[MAX_APART + 128];
	_Alignas(128) _Atomic uint64_t slots[ENTRIES];
};

/* Everything that the two threads share; each part on pairs of lines of its own. `stop` ends a window: the home thread sets it. */
struct lab {
	_Alignas(128) atomic_int ball;
	_Alignas(128) atomic_int stop;
	_Alignas(128) struct place *places;      /* [PLACES] */
	struct place *place;                     /* of this window */
	_Alignas(128) const struct point *point; /* NULL: no more windows */
	pthread_barrier_t barrier;
	struct { _Alignas(128) struct found found; } side[2]; /* each thread writes its own all the time: never in one line */
	double tsc_hz;
	int cpu[2];
	void **chain;
};

static struct lab lab;

static const char *const variant_names[VARIANTS] = {"lamport", "batched", "cached"};

/* One thread's looks at the clock: it warms up, counts for a while, and notices when it was away. */
struct watch {
	uint64_t born, begun, last, first_operation;
	struct found *found;
};

static struct watch watch(struct found *found)
{
	uint64_t now = __rdtsc();

	*found = (struct found){0};
	return (struct watch){.born = now, .last = now, .found = found};
}

/* Look at the clock after so many operations; true when the window is over. */
static bool look(struct watch *watch, uint64_t operations)
{
	uint64_t now = __rdtsc();
	struct found *found = watch->found;

	if (!watch->begun) {
		if ((double)(now - watch->born) >= WARM_S * lab.tsc_hz) {
			watch->begun = now;
			watch->first_operation = operations;
		}
	} else {
		if (now - watch->last > found->gap)
			found->gap = now - watch->last;
		found->operations = operations - watch->first_operation;
		found->ticks = now - watch->begun;
	}
	watch->last = now;
	return watch->begun && (double)(now - watch->begun) >= WINDOW_S * lab.tsc_hz;
}

/* The away thread goes on until the home thread has ended the window. */
static bool over(struct watch *watch, int side, uint64_t operations)
{
	bool full = look(watch, operations);

	if (side == 0 && full)
		atomic_store(&lab.stop, 1);
	return side == 0 ? full : atomic_load_explicit(&lab.stop, memory_order_relaxed);
}

static inline __attribute__((always_inline)) void run_ring(int side, enum variant variant, uint64_t batch, uint64_t apart)
{
	struct ring ring = {
		.tail = (_Atomic uint64_t *)lab.place->indices,
		.head = (_Atomic uint64_t *)(lab.place->indices + apart),
		.slots = lab.place->slots,
		.entries = ENTRIES,
	};
	struct watch clock = watch(&lab.side[side].found);
	struct end end = {0};

	do
		for (int i = 0; i < TURNS_A_LOOK; i++)
			if (side == 0)
				ring_take(ring, &end, variant, batch);
			else
				ring_put(ring, &end, variant, batch);
	while (!over(&clock, side, end.next));
	lab.side[side].found.wrong = end.wrong;
}

static void run_spsc(int side, const struct point *point)
{
	switch (point->variant) {
	case LAMPORT: run_ring(side, LAMPORT, point->batch, point->bytes); break;
	case BATCHED: run_ring(side, BATCHED, point->batch, point->bytes); break;
	default: run_ring(side, CACHED, point->batch, point->bytes); break;
	}
}

static void run_counters(int side, const struct point *point)
{
	_Atomic uint64_t *counter = (_Atomic uint64_t *)(lab.place->indices + (side ? point->bytes : 0));
	struct watch clock = watch(&lab.side[side].found);
	uint64_t count = 0;

	do
		for (int i = 0; i < TURNS_A_LOOK; i++)
			count = atomic_fetch_add(counter, 1) + 1;
	while (!over(&clock, side, count));
}

static void run_chase(void)
{
	void **at = lab.chain;
	uint64_t steps = 0;

	do /* once around, so that what fits into a cache is there: others may have run in between */
		at = *(void **volatile *)at;
	while (at != lab.chain && ++steps < LAP_STEPS);
	steps = 0;
	struct watch clock = watch(&lab.side[0].found);

	do {
		for (int i = 0; i < STEPS_A_LOOK; i++)
			at = *(void **volatile *)at;
		steps += STEPS_A_LOOK;
	} while (!look(&clock, steps));
}

static void run_clock(void)
{
	struct watch clock = watch(&lab.side[0].found);
	uint64_t product = 3, steps = 0;

	do {
		for (int i = 0; i < MANY_A_LOOK; i++)
			__asm__ volatile("imul %0, %0" : "+r"(product));
		steps += MANY_A_LOOK * PRODUCT_CYCLES;
	} while (!look(&clock, steps));
}

/* Eight at a time, so that the loop itself does not bound them. */
static void run_stores(void)
{
	volatile uint64_t *line = (volatile uint64_t *)lab.place->indices;
	struct watch clock = watch(&lab.side[0].found);
	uint64_t stores = 0;

	do {
		for (int i = 0; i < MANY_A_LOOK; i += 8) {
			line[0] = line[1] = line[2] = line[3] = stores;
			line[4] = line[5] = line[6] = line[7] = stores;
		}
		stores += MANY_A_LOOK;
	} while (!look(&clock, stores));
}

static void run(int side, const struct point *point)
{
	if (point->kind == SPSC)
		run_spsc(side, point);
	else if (point->kind == COUNTERS)
		run_counters(side, point);
	else if (side == 0 && point->kind == CHASE)
		run_chase();
	else if (side == 0 && point->kind == CLOCK)
		run_clock();
	else if (side == 0)
		run_stores();
}

/* Play a few ping-pongs; returns the one-way time of the fastest in ns (of the home thread). */
static double ping_pong(int side)
{
	double fastest_ns = 1e9;

	for (int game = 0; game < PING_PONGS; game++) {
		uint64_t begin = __rdtsc();

		for (int i = 0; i < ROUND_TRIPS; i++)
			pass(&lab.ball, side, 1 - side);
		double one_way_ns = (double)(__rdtsc() - begin) / lab.tsc_hz * 1e9 / (2.0 * ROUND_TRIPS);

		if (one_way_ns < fastest_ns)
			fastest_ns = one_way_ns;
	}
	return fastest_ns;
}

/* One window of a thread: ping-pong, work, ping-pong. */
static void window(int side, double *before_ns, double *after_ns)
{
	*before_ns = ping_pong(side);
	run(side, lab.point);
	*after_ns = ping_pong(side);
}

static bool ask_for_real_time(void)
{
	struct sched_param lowest = {.sched_priority = 1};

	return sched_setscheduler(0, SCHED_FIFO, &lowest) == 0;
}

static void *away(void *argument)
{
	double unused[2];

	(void)argument;
	pin(lab.cpu[1]);
	ask_for_real_time();
	for (;;) {
		pthread_barrier_wait(&lab.barrier);
		if (!lab.point)
			return NULL;
		window(1, &unused[0], &unused[1]);
		pthread_barrier_wait(&lab.barrier);
	}
}

/* Link all lines of so much memory in one random circle (Sattolo 1986), so that no prefetcher foresees the next. */
static void **make_chain(uint64_t bytes)
{
	uint64_t lines = bytes / LINE, state = 1;
	unsigned char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t *order = malloc(lines * sizeof(*order));

	if (memory == MAP_FAILED || !order)
		return NULL;
	madvise(memory, bytes, MADV_HUGEPAGE);
	for (uint64_t i = 0; i < lines; i++)
		order[i] = (uint32_t)i;
	for (uint64_t i = lines - 1; i > 0; i--) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		uint64_t other = (state >> 33) % i;
		uint32_t moved = order[i];

		order[i] = order[other];
		order[other] = moved;
	}
	for (uint64_t i = 0; i < lines; i++)
		*(void **)(memory + (uint64_t)order[i] * LINE) = memory + (uint64_t)order[(i + 1) % lines] * LINE;
	free(order);
	return (void **)memory;
}

/* Read a POINT of the command line. */
static bool parse(const char *text, struct point *point)
{
	char variant[16];

	*point = (struct point){.name = text};
	if (sscanf(text, "spsc:%15[a-z]:%lu:%lu", variant, &point->batch, &point->bytes) == 3) {
		point->kind = SPSC;
		while (point->variant < VARIANTS && strcmp(variant, variant_names[point->variant]))
			point->variant++;
		return point->variant < VARIANTS && point->batch && point->bytes >= 8 && point->bytes <= MAX_APART
		       && point->bytes % 8 == 0;
	}
	if (sscanf(text, "counters:%lu", &point->bytes) == 1) {
		point->kind = COUNTERS;
		return point->bytes >= 8 && point->bytes <= MAX_APART && point->bytes % 8 == 0;
	}
	if (sscanf(text, "chase:%lu", &point->bytes) == 1) {
		point->kind = CHASE;
		return point->bytes >= 2 * LINE && point->bytes / LINE < UINT32_MAX;
	}
	point->kind = strcmp(text, "stores") ? CLOCK : STORES;
	return point->kind == STORES || strcmp(text, "clock") == 0;
}

/* Have both threads run one window, and print it. */
static void measure(const struct point *point, void **chain, int round)
{
	double before_ns, after_ns;
	struct found *mine = &lab.side[0].found, *theirs = &lab.side[1].found;

	*theirs = (struct found){0};
	lab.point = point;
	lab.chain = chain;
	lab.place = &lab.places[round % PLACES];
	memset(lab.place->indices, 0, sizeof(lab.place->indices));
	atomic_store(&lab.stop, 0);
	atomic_store(&lab.ball, 0);
	pthread_barrier_wait(&lab.barrier);
	window(0, &before_ns, &after_ns);
	pthread_barrier_wait(&lab.barrier);
	double rate = (double)mine->operations / (double)mine->ticks * lab.tsc_hz;
	uint64_t gap = mine->gap > theirs->gap ? mine->gap : theirs->gap;

	if (point->kind == COUNTERS && theirs->ticks)
		rate += (double)theirs->operations / (double)theirs->ticks * lab.tsc_hz;
	printf("{\"point\": \"%s\", \"round\": %d, \"rate\": %.1f, \"before_ns\": %.3f, \"after_ns\": %.3f, \"gap_us\": %.2f, \"wrong\": %lu}\n",
	       point->name, round, rate, before_ns, after_ns, (double)gap / lab.tsc_hz * 1e6, mine->wrong + theirs->wrong);
	usleep(PAUSE_US);
}

int main(int argc, char **argv)
{
	static struct point points[MAX_POINTS];
	static void **chains[MAX_POINTS];
	int count = argc - 4;
	pthread_t thread;

	if (count < 1 || count > MAX_POINTS || atof(argv[1]) <= 0) {
		fprintf(stderr, "usage: ringprobe SECONDS CPU CPU POINT [POINT ...], at most %d\n", MAX_POINTS);
		return 2;
	}
	for (int i = 0; i < count; i++) {
		if (!parse(argv[4 + i], &points[i])) {
			fprintf(stderr, "ringprobe: %s: no such point\n", argv[4 + i]);
			return 2;
		}
		if (points[i].kind == CHASE && !(chains[i] = make_chain(points[i].bytes))) {
			fprintf(stderr, "ringprobe: %s: not so much memory\n", argv[4 + i]);
			return 1;
		}
	}
	lab.cpu[0] = atoi(argv[2]);
	lab.cpu[1] = atoi(argv[3]);
	if (!pin(lab.cpu[1]) || !pin(lab.cpu[0])) {
		fprintf(stderr, "ringprobe: cannot run on CPUs %s and %s\n", argv[2], argv[3]);
		return 1;
	}
	lab.places = aligned_alloc(_Alignof(struct place), PLACES * sizeof(*lab.places));
	if (!lab.places) {
		fprintf(stderr, "ringprobe: not so much memory\n");
		return 1;
	}
	memset(lab.places, 0, PLACES * sizeof(*lab.places));
	lab.tsc_hz = measure_tsc_hz(0.05);
	pthread_barrier_init(&lab.barrier, NULL, 2);
	if (pthread_create(&thread, NULL, away, NULL)) {
		fprintf(stderr, "ringprobe: cannot start a thread\n");
		return 1;
	}
	printf("{\"tsc_hz\": %.0f, \"fifo\": %s}\n", lab.tsc_hz, ask_for_real_time() ? "true" : "false");
	double until_s = now_s() + atof(argv[1]);

	for (int round = 0; now_s() < until_s; round++)
		for (int i = 0; i < count; i++) {
			int at = round % 2 ? count - 1 - i : i;

			measure(&points[at], chains[at], round);
		}
	lab.point = NULL;
	pthread_barrier_wait(&lab.barrier);
	pthread_join(thread, NULL);
	return 0;
}
