/* How long a load takes, by the size of the memory that loads go to, and an access to a device register. On core 1. */
#include "window.h"

#define LINE 64
#define SIZE_MIN (16u << 10)
#define STEP 256     /* loads between two looks at the clock */
#define REGISTER_STEP 8

struct job {
    void **chain;                /* where a load leads to the next, in one circle through all lines */
    volatile uint16_t *device;
    bool writes;
    uint64_t duration_cycles;
    uint64_t accesses, cycles;
};

/* One circle through all lines in random order (Sattolo, "An algorithm to generate a random cyclic permutation", 1986). */
static void link_lines(uint8_t *memory, uint32_t lines)
{
    uint64_t random = lines;
    for (uint32_t i = 0; i < lines; i++)
        *(void **)(memory + (uint64_t)i * LINE) = memory + (uint64_t)i * LINE;
    for (uint32_t i = lines - 1; i > 0; i--) {
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        uint32_t other = (uint32_t)(((random >> 32) * i) >> 32);
        void **a = (void **)(memory + (uint64_t)i * LINE), **b = (void **)(memory + (uint64_t)other * LINE);
        void *swap = *a;
        *a = *b;
        *b = swap;
    }
}

static void chase(void *argument)
{
    struct job *job = argument;
    void **at = job->chain;
    for (uint32_t round = 0; round < 2; round++) { /* the first fills the caches */
        uint64_t begin = read_tsc(), now;
        job->accesses = 0;
        do {
            for (uint32_t i = 0; i < STEP; i++)
                at = *at;
            __asm__ volatile("" : "+r"(at));
            job->accesses += STEP;
            now = read_tsc();
        } while (now - begin < job->duration_cycles);
        job->cycles = now - begin;
    }
}

static void touch_register(void *argument)
{
    struct job *job = argument;
    uint16_t value = *job->device;
    uint64_t begin = read_tsc(), now;
    do {
        for (uint32_t i = 0; i < REGISTER_STEP; i++) {
            if (job->writes)
                *job->device = value;
            else
                value = *job->device;
        }
        job->accesses += REGISTER_STEP;
        now = read_tsc();
    } while (now - begin < job->duration_cycles);
    job->cycles = now - begin;
}

static const char *run(const struct bench_platform *platform, struct job *job, void (*entry)(void *))
{
    void *arguments[] = {0, job};
    return platform->run(1, entry, arguments);
}

/* `what` begins the line: everything up to the counts. */
static void print_job(const struct bench_platform *platform, const struct job *job, const char *what, uint64_t size_bytes)
{
    uint64_t millicycles = job->cycles * 1000 / job->accesses;
    uint64_t ps = job->cycles * 1000000 / job->accesses * 1000 / (platform->tsc_hz / 1000);
    bench_line(platform,
               "{\"bench\":\"%s\",\"size_bytes\":%lu,\"accesses\":%lu,\"cycles\":%lu,\"tsc_hz\":%lu,\"latency_cycles\":%lu.%03lu,"
               "\"latency_ns\":%lu.%03lu}",
               what, size_bytes, job->accesses, job->cycles, platform->tsc_hz, millicycles / 1000, millicycles % 1000, ps / 1000,
               ps % 1000);
}

const char *bench_memory(const struct bench_platform *platform)
{
    const char *wrong = 0;
    uint64_t duration_cycles = platform->tsc_hz / BENCH_WINDOWS_PER_S;
    for (uint64_t size = SIZE_MIN; size <= platform->memory_size && !wrong; size *= 2) {
        struct job job = {.chain = (void **)platform->memory, .duration_cycles = duration_cycles};
        link_lines(platform->memory, (uint32_t)(size / LINE));
        wrong = run(platform, &job, chase);
        if (!wrong)
            print_job(platform, &job, "memory", size);
    }
    for (unsigned writes = 0; writes < 2 && platform->registers && !wrong; writes++) {
        struct job job = {.device = platform->registers, .writes = writes, .duration_cycles = duration_cycles};
        wrong = run(platform, &job, touch_register);
        if (!wrong)
            print_job(platform, &job, writes ? "register write" : "register read", sizeof(*platform->registers));
    }
    return wrong;
}
