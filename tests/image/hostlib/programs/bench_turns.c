/*
 * Turns of cores in the microbenchmark `forward`, one after the other, and what each does to memory.
 *
 * usage: bench-traced-LAYOUT CORES BATCH LENGTH TURN [TURN ...]
 * A turn is the number of a core. For each there is a line `frames`, followed by the numbers of the cores that the frames
 * which it received last go to, and its accesses (traced/bench_turn.h), up to an empty line. The last line is the benchmark's own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench_turn.h"
#include "io.h"

#define MEMORY_SIZE (4u << 20)
#define TSC_HZ 1000000

struct shared shared;
static uint64_t now;
static char **turns;

uint64_t read_tsc(void)
{
    return now += TSC_HZ / 1000;
}

void cpu_relax(void)
{
}

static void print(const char *line)
{
    puts(line);
}

static const char *run(uint32_t cores, void (*entry)(void *), void *const *arguments)
{
    (void)entry; /* it takes turns without end */
    for (uint32_t i = 1; i <= cores; i++)
        bench_trace_start(arguments[i]);
    for (char **turn = turns; *turn; turn++) {
        uint32_t number = (uint32_t)atoi(*turn);
        if (number < 1 || number > cores)
            return "a turn is the number of a core";
        struct bench_core *me = arguments[number];
        const char *accesses = bench_trace_turn(me);
        printf("frames");
        for (uint32_t i = 0; i < me->pending_count; i++)
            printf(" %u", me->pending[i].destination & 255);
        printf("\n%s\n", accesses);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static uint16_t table24[FIB_ENTRIES], table8[FIB_GROUPS * 256], free_groups[FIB_GROUPS];
    static uint8_t depth24[FIB_ENTRIES], depth8[FIB_GROUPS * 256], memory[MEMORY_SIZE] __attribute__((aligned(4096)));
    static struct fib fib = {.table24 = table24, .table8 = table8, .depth24 = depth24, .depth8 = depth8, .free_groups = free_groups};
    struct bench_platform platform = {
        .tsc_hz = TSC_HZ, .memory = memory, .memory_size = MEMORY_SIZE, .fib = &fib, .run = run, .print = print};
    struct bench_request request;
    if (argc < 5) {
        fprintf(stderr, "usage: %s CORES BATCH LENGTH TURN [TURN ...]\n", argv[0]);
        return 2;
    }
    platform.cores = (uint32_t)atoi(argv[1]);
    turns = argv + 4;
    const char *wrong = bench_parse(&request, BENCH_forward, 2, argv + 2);
    request.windows = 1;
    if (!wrong)
        wrong = bench_run(&platform, &request);
    if (wrong)
        fprintf(stderr, "%s: %s\n", argv[0], wrong);
    return wrong ? 1 : 0;
}
