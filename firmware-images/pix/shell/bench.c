/* The commands of the microbenchmarks: lends them the parked exclusive cores and the memory that a start would cut up. */
#include "bench.h"

#include "boot_info.h"
#include "command.h"
#include "console.h"
#include "control.h"
#include "system_call.h"

#define STACK_SIZE 8192

struct job {
    void (*entry)(void *);
    void *argument;
};

static char stacks[MAX_CORES][STACK_SIZE] __attribute__((aligned(128)));

static void run_job(struct job *job)
{
    job->entry(job->argument);
    for (;;)
        system_call(SYSTEM_CALL_PARK, 0, 0, 0, 0);
}

/* Whether any core is in this state. */
static bool any_is(uint32_t cores, enum core_state state)
{
    for (uint32_t i = 1; i <= cores; i++)
        if (__atomic_load_n(&boot_info.core[i].state, __ATOMIC_ACQUIRE) == state)
            return true;
    return false;
}

/*
 * Waits until every core has parked or faulted; those that wait for one that has faulted come to an end as well. It waits
 * halted, because its processor may be that of one of them. A core that parks or faults sends an interrupt.
 */
static const char *wait_for_cores(uint32_t cores)
{
    while (any_is(cores, CORE_RUNNING)) {
        if (any_is(cores, CORE_FAULTED))
            bench_abort();
        wait_for_interrupt();
    }
    return any_is(cores, CORE_FAULTED) ? "a core has faulted" : 0;
}

static const char *run(uint32_t cores, void (*entry)(void *), void *const *arguments)
{
    static struct job jobs[MAX_CORES];
    for (uint32_t i = 1; i <= cores; i++) {
        jobs[i] = (struct job){entry, arguments[i]};
        if (system_call(SYSTEM_CALL_RUN, i, (uint64_t)run_job, (uint64_t)(stacks[i] + STACK_SIZE - 8), (uint64_t)&jobs[i])) {
            bench_abort();
            wait_for_cores(i - 1);
            return "a core does not take it";
        }
    }
    return wait_for_cores(cores);
}

static void print_line(const char *line)
{
    print("%s\n", line);
}

static void execute(const struct arguments *arguments, enum bench_kind kind)
{
    struct bench_request request;
    struct bench_platform platform = {
        .cores = boot_info.core_count - 1,
        .memory = (uint8_t *)boot_info.memory_start,
        .memory_size = boot_info.memory_end - boot_info.memory_start,
        .fib = &control.fib,
        .registers = control.port_count ? &control.nets[0].device.common->queue_select : 0,
        .run = run,
        .print = print_line,
    };
    const char *wrong = bench_parse(&request, kind, arguments->count, arguments->word);
    if (!wrong && control.started)
        wrong = "the QGMs have the cores: stop them first";
    if (!wrong) {
        platform.tsc_hz = control_measure_tsc_hz();
        wrong = bench_run(&platform, &request);
    }
    if (wrong)
        command_done(wrong);
}

void command_bench_ring(const struct arguments *arguments)
{
    execute(arguments, BENCH_ring);
}

void command_bench_matrix(const struct arguments *arguments)
{
    execute(arguments, BENCH_matrix);
}

void command_bench_forward(const struct arguments *arguments)
{
    execute(arguments, BENCH_forward);
}

void command_bench_tx(const struct arguments *arguments)
{
    execute(arguments, BENCH_tx);
}

void command_bench_memory(const struct arguments *arguments)
{
    execute(arguments, BENCH_memory);
}
