/*
 * The image's microbenchmarks as pinned threads of a host, core n of the image being the n-th processor given.
 *
 * usage: pix-bench-LAYOUT CPU [CPU ...]
 * Reads one command a line, as the image's shell takes them behind `bench`: ring, matrix, forward, tx, memory, with their numbers.
 * Answers with the lines of the benchmark and then `ok`, or with one line that begins with `error: `.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"
#include "io.h"
#include "parse.h"
#include "shared.h"

#define MEMORY_SIZE (256ull << 20)
#define CALIBRATION_NS 20000000
#define WORDS_MAX 8

struct shared shared;

struct thread {
    pthread_t id;
    void (*entry)(void *);
    void *argument;
};

static cpu_set_t cpus[MAX_CORES];

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    thread->entry(thread->argument);
    return 0;
}

static const char *run(uint32_t cores, void (*entry)(void *), void *const *arguments)
{
    static struct thread threads[MAX_CORES];
    pthread_attr_t attributes;
    const char *wrong = 0;
    uint32_t started = 0;
    pthread_attr_init(&attributes);
    for (uint32_t i = 1; i <= cores && !wrong; i++) {
        threads[i] = (struct thread){.entry = entry, .argument = arguments[i]};
        if (pthread_attr_setaffinity_np(&attributes, sizeof(cpus[i]), &cpus[i]) ||
            pthread_create(&threads[i].id, &attributes, run_thread, &threads[i])) {
            wrong = "a thread cannot run on a processor that was given";
            bench_abort();
        } else {
            started = i;
        }
    }
    pthread_attr_destroy(&attributes);
    for (uint32_t i = 1; i <= started; i++)
        pthread_join(threads[i].id, 0);
    return wrong;
}

static void print(const char *line)
{
    puts(line);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t measure_tsc_hz(void)
{
    uint64_t begin_ns = now_ns(), begin = read_tsc(), end_ns;
    do
        end_ns = now_ns();
    while (end_ns - begin_ns < CALIBRATION_NS);
    return (uint64_t)((double)(read_tsc() - begin) * 1e9 / (double)(end_ns - begin_ns));
}

/* Zeroed memory in large pages, as the image has it; ends the program when there is none. */
static void *allocate(size_t size)
{
    size_t large = 2 << 20;
    uint8_t *memory = mmap(0, size + large, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "pix-bench: no memory\n");
        exit(1);
    }
    memory = (uint8_t *)(((uintptr_t)memory + large - 1) & ~(large - 1));
    madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

static const char *execute(const struct bench_platform *platform, char *line)
{
    static const char *const names[BENCH_KINDS] = {"ring", "matrix", "forward", "tx", "memory"};
    char *words[WORDS_MAX], *rest;
    unsigned count = 0;
    struct bench_request request;
    for (char *word = strtok_r(line, " \n", &rest); word && count < WORDS_MAX; word = strtok_r(0, " \n", &rest))
        words[count++] = word;
    for (enum bench_kind kind = 0; count && kind < BENCH_KINDS; kind++)
        if (!strcmp(words[0], names[kind])) {
            const char *wrong = bench_parse(&request, kind, count - 1, words + 1);
            return wrong ? wrong : bench_run(platform, &request);
        }
    return "no such benchmark: there are ring, matrix, forward, tx and memory";
}

static int take_cpus(int argc, char **argv)
{
    uint32_t number;
    for (int i = 1; i < argc; i++) {
        if (!parse_number(argv[i], CPU_SETSIZE - 1, &number))
            return 0;
        CPU_ZERO(&cpus[i]);
        CPU_SET(number, &cpus[i]);
    }
    return 1;
}

int main(int argc, char **argv)
{
    char line[128];
    if (argc < 2 || argc > MAX_CORES || !take_cpus(argc, argv)) {
        fprintf(stderr, "usage: pix-bench-LAYOUT CPU [CPU ...], at most %d of them\n", MAX_CORES - 1);
        return 2;
    }
    struct fib fib = {
        .table24 = allocate(FIB_ENTRIES * sizeof(*fib.table24)),
        .table8 = allocate(FIB_GROUPS * 256 * sizeof(*fib.table8)),
        .depth24 = allocate(FIB_ENTRIES),
        .depth8 = allocate(FIB_GROUPS * 256),
        .free_groups = allocate(FIB_GROUPS * sizeof(*fib.free_groups)),
    };
    struct bench_platform platform = {
        .cores = (uint32_t)argc - 1,
        .tsc_hz = measure_tsc_hz(),
        .memory = allocate(MEMORY_SIZE),
        .memory_size = MEMORY_SIZE,
        .fib = &fib,
        .run = run,
        .print = print,
    };
    setvbuf(stdout, 0, _IOLBF, 0);
    while (fgets(line, sizeof(line), stdin)) {
        const char *wrong = execute(&platform, line);
        if (wrong)
            printf("error: %s\n", wrong);
        else
            puts("ok");
    }
    return 0;
}
