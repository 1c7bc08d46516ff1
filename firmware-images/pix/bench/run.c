#include <stdarg.h>

#include "format.h"
#include "parse.h"
#include "window.h"

#define LINE_BYTES 480
#define BATCH_DEFAULT 32
#define LENGTH_DEFAULT 256 /* as published */
#define WINDOWS_DEFAULT 5
#define WINDOWS_MAX 1000

static struct bench_window window;

/* What is known of each kind: its name, how many cores it takes, and how it is laid out. */
static const struct {
    const char *name;
    uint32_t cores_min, cores_max;
    const char *(*prepare)(struct bench_window *window);
} kinds[BENCH_KINDS] = {
    [BENCH_ring] = {"ring", 2, 2, bench_ring_prepare},
    [BENCH_matrix] = {"matrix", 2, MAX_CORES - 1, bench_ring_prepare},
    [BENCH_forward] = {"forward", 1, MAX_PORTS, bench_forward_prepare},
    [BENCH_tx] = {"tx", 2, 2, bench_tx_prepare},
    [BENCH_memory] = {"memory", 1, 1, 0},
};

const char *bench_parse(struct bench_request *request, enum bench_kind kind, unsigned count, char *const *words)
{
    *request = (struct bench_request){kind, BATCH_DEFAULT, LENGTH_DEFAULT, WINDOWS_DEFAULT};
    if (count > (kind == BENCH_memory ? 0 : 3))
        return kind == BENCH_memory ? "this benchmark takes no words" : "too many words: give " BENCH_USAGE;
    if (count > 0 && (!parse_number(words[0], BATCH_MAX, &request->batch) || !request->batch))
        return "the batch is a number from 1 to 64";
    if (count > 1 && (!parse_number(words[1], RING_LENGTH_MAX, &request->length) || request->length < 2 ||
                      (request->length & (request->length - 1))))
        return "the length is a power of two from 2 to 1024";
    if (count > 2 && (!parse_number(words[2], WINDOWS_MAX, &request->windows) || !request->windows))
        return "the windows are a number from 1 to 1000";
    return 0;
}

void bench_line(const struct bench_platform *platform, const char *text, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, text);
    format(line, sizeof(line), text, arguments);
    va_end(arguments);
    platform->print(line);
}

static void print_window(void)
{
    const struct bench_platform *platform = window.platform;
    uint64_t sent = 0, received = 0, wrong = 0, messages = 0, cycles = 0, longest = 0, leaked = 0;
    for (uint32_t i = 1; i <= window.cores; i++) {
        const struct bench_core *core = &window.core[i];
        uint32_t unused = core->free_after - CORE_WORD(i, pool_head);
        sent += core->sent;
        received += core->received;
        wrong += core->wrong;
        messages += core->messages;
        cycles = core->cycles > cycles ? core->cycles : cycles;
        longest = core->longest_cycles > longest ? core->longest_cycles : longest;
        leaked += (int32_t)unused < 0 ? -unused : unused;
    }
    uint64_t khz = platform->tsc_hz / 1000;
    bench_line(platform,
               "{\"bench\":\"%s\",\"layout\":\"%s\",\"batch\":%u,\"queue_length\":%u,\"cores\":%u,\"messages\":%lu,\"cycles\":%lu,"
               "\"tsc_hz\":%lu,\"rate_mps\":%lu,\"c2c_before_ns\":%lu.%03lu,\"c2c_after_ns\":%lu.%03lu,\"longest_turn_us\":%lu,"
               "\"sent\":%lu,\"received\":%lu,\"wrong\":%lu,\"leaked\":%lu}",
               kinds[window.request.kind].name, LAYOUT_PADDED ? "padded" : "packed", window.request.batch, window.request.length, window.cores, messages,
               cycles, platform->tsc_hz, messages * khz / cycles * 1000 + messages * khz % cycles * 1000 / cycles,
               window.one_way_ps[0] / 1000, window.one_way_ps[0] % 1000, window.one_way_ps[1] / 1000,
               window.one_way_ps[1] % 1000, longest * 1000 / khz, sent, received, wrong, leaked);
}

static const char *run_window(const struct bench_platform *platform, const struct bench_request *request, uint32_t cores)
{
    void *arguments[MAX_CORES] = {0};
    __builtin_memset(&window, 0, sizeof(window));
    __builtin_memset(&shared, 0, sizeof(shared));
    window.platform = platform;
    window.request = *request;
    window.cores = cores;
    window.duration_cycles = platform->tsc_hz / BENCH_WINDOWS_PER_S;
    for (uint32_t i = 1; i <= cores; i++) {
        window.core[i].number = i;
        window.core[i].window = &window;
        arguments[i] = &window.core[i];
    }
    const char *wrong = kinds[request->kind].prepare(&window);
    if (!wrong)
        wrong = platform->run(cores, bench_core_run, arguments);
    if (request->kind == BENCH_forward)
        bench_forward_clear(&window);
    if (!wrong)
        print_window();
    return wrong;
}

void bench_abort(void)
{
    __atomic_store_n(&window.abort, 1, __ATOMIC_RELAXED);
}

const char *bench_run(const struct bench_platform *platform, const struct bench_request *request)
{
    static struct shared saved;
    const char *wrong = 0;
    uint32_t cores = platform->cores;
    if (cores < kinds[request->kind].cores_min)
        return kinds[request->kind].cores_min == 1 ? "it takes an exclusive core, and there is none"
                                                   : "it takes two exclusive cores, and there are fewer";
    if (cores > kinds[request->kind].cores_max)
        cores = kinds[request->kind].cores_max;
    if (request->kind == BENCH_memory)
        return bench_memory(platform);
    __builtin_memcpy(&saved, &shared, sizeof(saved));
    for (uint32_t i = 0; i < request->windows && !wrong; i++)
        wrong = run_window(platform, request, cores);
    __builtin_memcpy(&shared, &saved, sizeof(saved));
    return wrong;
}
