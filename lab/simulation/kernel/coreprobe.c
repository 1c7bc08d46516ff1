/* Measures how much one core of this host holds in flight (H. Wong, "Measuring Reorder Buffer Capacity", 2013): the time of two
 * loads that both miss to memory, with more and more instructions of one kind between them. While all of it fits into the core,
 * the two misses overlap; with one instruction more than fits, the second load is not begun before the first is done, and the
 * time jumps to twice. What jumps first is what the instructions fill:
 *   nops       the reorder buffer
 *   registers  the physical registers: each writes one
 *   stores     the store buffer: they hit, with data and address ready, but the first load is before them
 *   loads      the line fill buffers: so many loads that miss, nothing between them
 *
 * usage: coreprobe CPU ROUNDS
 * prints one JSON object a line, a curve: {"filler": "nops", "round": N, "counts": [...], "ticks": [...]}
 * ticks of the time stamp counter are those of the RANK-th fastest of SAMPLES: sixteen misses that overlap take as long as one only
 * where none of their lines is slow. A curve's counts are measured in random order, so that memory which becomes slower meanwhile
 * looks like noise and not like a jump.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "probe.h"

#define SAMPLES 100
#define RANK 3            /* of the samples sorted: below interruptions and slow lines, above a line that was near by accident */
#define MAX_ROUNDS 1000
#define LINE 64
#define PAGE 4096
#define PAGES 2048        /* more than two loads of an iteration never share a page: no prefetcher helps the second */
#define CODE_BYTES 16384  /* LOADS_MOST or the longest filler, and what stands around it */
#define MAX_POINTS 256
#define LOADS_MOST 48

enum filler { NOPS, REGISTERS, STORES, LOADS, FILLERS };

/* Which counts a curve has: step, 2 * step, ... most. No core is known that holds more. */
static const struct kind {
	const char *name;
	int step, most;
} kinds[FILLERS] = {
	[NOPS] = {"nops", 4, 1024},
	[REGISTERS] = {"registers", 4, 1024},
	[STORES] = {"stores", 1, 256},
	[LOADS] = {"loads", 1, LOADS_MOST},
};

/* The generated function: ticks from before the first load of lines[] until all are there. `hot` is one line that hits. */
typedef uint64_t (*timed)(unsigned char *const *lines, void *hot);

struct code {
	unsigned char *bytes;
	size_t length;
};

struct lab {
	_Alignas(LINE) unsigned char hot[LINE];
	unsigned char *memory;
	struct code code;
	uint64_t random;
};

static struct lab lab;

#define EMIT(code, literal) emit(code, literal, sizeof(literal) - 1)

static void emit(struct code *code, const char *bytes, size_t length)
{
	memcpy(code->bytes + code->length, bytes, length);
	code->length += length;
}

/* rdtsc; shl $32,%rdx; or %rdx,%rax: the time, once all before it is done (lfence). */
static void emit_time(struct code *code)
{
	EMIT(code, "\x0f\xae\xe8" "\x0f\x31" "\x48\xc1\xe2\x20" "\x48\x09\xd0");
}

/* mov 8*i(%rdi),%rax; movzbl (%rax),%eax: load lines[i]. Its address hits. */
static void emit_load(struct code *code, int i)
{
	int32_t offset = 8 * i;

	EMIT(code, "\x48\x8b\x87");
	emit(code, (const char *)&offset, sizeof(offset));
	EMIT(code, "\x0f\xb6\x00");
}

static void emit_filler(struct code *code, enum filler filler)
{
	switch (filler) {
	case NOPS: EMIT(code, "\x90"); break;               /* nop */
	case REGISTERS: EMIT(code, "\x8d\x04\x37"); break;  /* lea (%rdi,%rsi),%eax: no core renames it away */
	default: EMIT(code, "\x89\x3e"); break;             /* mov %edi,(%rsi) */
	}
}

/* Generate the function that times two loads with `count` instructions between them, or `count` loads. */
static timed generate(struct code *code, enum filler filler, int count)
{
	code->length = 0;
	EMIT(code, "\x48\x8b\x0f" "\x4c\x8b\x4f\x08");  /* mov (%rdi),%rcx; mov 8(%rdi),%r9 */
	EMIT(code, "\x0f\xae\xf0");                     /* mfence: earlier stores have left */
	emit_time(code);
	EMIT(code, "\x49\x89\xc0" "\x0f\xae\xe8");      /* mov %rax,%r8; lfence */
	if (filler == LOADS) {
		for (int i = 0; i < count; i++)
			emit_load(code, i);
	} else {
		EMIT(code, "\x0f\xb6\x01");             /* movzbl (%rcx),%eax */
		for (int i = 0; i < count; i++)
			emit_filler(code, filler);
		EMIT(code, "\x41\x0f\xb6\x01");         /* movzbl (%r9),%eax */
	}
	emit_time(code);
	EMIT(code, "\x4c\x29\xc0" "\xc3");              /* sub %r8,%rax; ret */
	return (timed)(void *)code->bytes;
}

/* Knuth's MMIX generator: the upper bits. */
static uint64_t draw(void)
{
	lab.random = lab.random * 6364136223846793005u + 1442695040888963407u;
	return lab.random >> 33;
}

/* Choose lines in pages that follow each other, each anywhere in its page, and take them out of all caches. */
static void choose(unsigned char **lines, int count)
{
	uint64_t first = draw();

	for (int i = 0; i < count; i++) {
		lines[i] = lab.memory + (first + (uint64_t)i) % PAGES * PAGE + draw() % (PAGE / LINE) * LINE;
		_mm_clflush(lines[i]);
	}
	_mm_mfence();
}

static int compare(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

/* Returns the ticks that so many instructions of a kind take: those of the RANK-th fastest. */
static uint64_t ticks(enum filler filler, int count)
{
	timed run = generate(&lab.code, filler, count);
	unsigned char *lines[LOADS_MOST] = {lab.memory, lab.memory};
	uint64_t found[SAMPLES];

	for (int i = 0; i < SAMPLES; i++) {
		choose(lines, filler == LOADS ? count : 2);
		found[i] = run(lines, lab.hot);
	}
	qsort(found, SAMPLES, sizeof(*found), compare);
	return found[RANK];
}

/* Measure one curve, its counts in random order (Fisher and Yates), and print it. */
static void measure(enum filler filler, int round)
{
	const struct kind *kind = &kinds[filler];
	int points = kind->most / kind->step, order[MAX_POINTS];
	uint64_t found[MAX_POINTS];

	for (int i = 0; i < points; i++) {
		int other = (int)(draw() % (uint64_t)(i + 1));

		order[i] = order[other];
		order[other] = i;
	}
	for (int i = 0; i < points; i++)
		found[order[i]] = ticks(filler, (order[i] + 1) * kind->step);
	printf("{\"filler\": \"%s\", \"round\": %d, \"counts\": [", kind->name, round);
	for (int i = 0; i < points; i++)
		printf("%s%d", i ? ", " : "", (i + 1) * kind->step);
	printf("], \"ticks\": [");
	for (int i = 0; i < points; i++)
		printf("%s%lu", i ? ", " : "", found[i]);
	printf("]}\n");
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[2]) : 0;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: coreprobe CPU ROUNDS, 1 to %d\n", MAX_ROUNDS);
		return 2;
	}
	if (!pin(atoi(argv[1]))) {
		fprintf(stderr, "coreprobe: cannot run on CPU %s\n", argv[1]);
		return 1;
	}
	lab.memory = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	lab.code.bytes = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (lab.memory == MAP_FAILED || lab.code.bytes == MAP_FAILED) {
		fprintf(stderr, "coreprobe: this host gives no memory whose code it runs\n");
		return 1;
	}
	memset(lab.memory, 1, (size_t)PAGES * PAGE);
	for (int round = 0; round < rounds; round++)
		for (enum filler filler = 0; filler < FILLERS; filler++)
			measure(filler, round);
	return 0;
}
