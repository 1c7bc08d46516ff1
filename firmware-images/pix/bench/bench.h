/*
 * Microbenchmarks of what cores pay for each other: rings, forwarding, transmit queues, memory. Pure: the same sources
 * run on the exclusive cores of the image (shell/bench.c) and as pinned threads of a host (bench/host/main.c).
 *
 * A benchmark runs in short windows. Directly before and after each, core 1 plays CAS ping-pong with every other core, so
 * that each result is tagged with the core-to-core latency that it was measured at: on a shared host that changes from
 * one second to the next. Each window prints one line of JSON.
 */
#ifndef PIX_BENCH_H
#define PIX_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include "fib.h"

enum bench_kind { BENCH_ring, BENCH_matrix, BENCH_forward, BENCH_tx, BENCH_memory, BENCH_KINDS };

struct bench_request {
    enum bench_kind kind;
    uint32_t batch;  /* messages between two publications, 1 to 64 */
    uint32_t length; /* of the rings and queues, a power of two from 2 to 1024 */
    uint32_t windows;
};

#define BENCH_USAGE "[BATCH [LENGTH [WINDOWS]]]"
#define BENCH_WINDOWS_PER_S 50 /* of 20 ms each */

/* What the place where they run has to give. Invariant: nobody else uses any of it until bench_run() has returned. */
struct bench_platform {
    uint32_t cores;               /* numbered from 1 */
    uint64_t tsc_hz;
    uint8_t *memory;              /* aligned to 4096 bytes */
    uint64_t memory_size;
    struct fib *fib;              /* routes to 240.0.0.0/4 are added and removed: nobody can have others there */
    volatile uint16_t *registers; /* a device register that may be read and written, or a null pointer */

    /* Runs entry(arguments[n]) on each core from 1 to n and returns when all have ended; or says what is wrong. */
    const char *(*run)(uint32_t cores, void (*entry)(void *), void *const *arguments);
    void (*print)(const char *line); /* without line feed */
};

/* The request that up to three words BATCH LENGTH WINDOWS mean; returns what is wrong with them, or a null pointer. */
const char *bench_parse(struct bench_request *request, enum bench_kind kind, unsigned count, char *const *words);

/* Runs the windows and prints a line for each; returns what is wrong, or a null pointer. The shared words of all cores are left as they were. */
const char *bench_run(const struct bench_platform *platform, const struct bench_request *request);

/* Lets every core of the window that runs come to its end, because one of them never will. */
void bench_abort(void);

#endif
