#include "machine.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "boot_info.h"
#include "capacity.h"
#include "console.h"
#include "device.h"
#include "format.h"
#include "io.h"
#include "qgm.h"
#include "shell/shell.c" /* for execute(), which nothing else needs from outside */
#include "watch.h"

#define OUTPUT_SIZE (1 << 20)
#define TSC_PER_READ 100
#define STALE 0xa5 /* what memory holds that nobody clears at boot */
#define BOOT_FILE_SIZE 1000
#define MEMORY_SIZE (256ull << 20) /* for buffers; their addresses have to fit into 32 bits */

static uint64_t now;
static bool has_threads;
static char output[OUTPUT_SIZE];
static size_t output_used;
static struct qgm *running[MAX_CORES]; /* by core; null where none takes turns */
static bool in_turn;
static __thread uint32_t own_core; /* of this thread; 0 for the one that has the shell and the devices */

void print(const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    output_used += format(output + output_used, sizeof(output) - output_used, text, arguments);
    va_end(arguments);
    if (output_used + 1 >= sizeof(output))
        watch_fail("a command prints more than there is room for", output_used);
}

void read_line(char *line, size_t size)
{
    (void)line;
    watch_fail("nobody types", size);
}

const char *machine_command(const char *line)
{
    char typed[LINE_SIZE];
    output_used = 0;
    output[0] = 0;
    if (strlen(line) >= sizeof(typed))
        watch_fail("a line is too long", strlen(line));
    strcpy(typed, line);
    execute(typed);
    return output;
}

void machine_boot(uint32_t exclusive_cores, uint32_t ports, uint16_t queue_length, bool with_threads)
{
    static uint8_t file[BOOT_FILE_SIZE];
    has_threads = with_threads;
    boot_info.file_address = (uint64_t)file;
    boot_info.file_size = sizeof(file);
    void *memory = mmap(0, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (memory == MAP_FAILED)
        watch_fail("there is no memory below 4 GiB for the buffers", MEMORY_SIZE);
    memset(memory, STALE, MEMORY_SIZE);
    boot_info.memory_start = (uint64_t)memory;
    boot_info.memory_end = boot_info.memory_start + MEMORY_SIZE;
    boot_info.core_count = 1 + exclusive_cores;
    boot_info.core[0].state = CORE_RUNNING;
    device_plug(ports, queue_length);
    control_init();
}

void machine_take_route_file(const void *bytes, uint32_t size)
{
    free((void *)boot_info.route_file_address);
    void *file = malloc(size); /* no byte more: the sanitizer sees one that is read behind it */
    memcpy(file, bytes, size);
    boot_info.route_file_address = (uint64_t)file;
    boot_info.route_file_size = size;
}

void machine_turn(uint32_t core)
{
    struct qgm *qgm = core < MAX_CORES ? running[core] : 0;
    if (!qgm)
        return;
    in_turn = true;
    qgm_turn(qgm);
    in_turn = false;
    if (qgm->stopping) {
        running[core] = 0;
        boot_info.core[core].state = CORE_PARKED;
    }
}

int32_t machine_lost_buffers(void)
{
    uint64_t made = 0, found = 0;
    for (uint32_t core = 1; core < boot_info.core_count; core++) {
        const struct qgm *qgm = &control.qgms[core];
        if (!qgm->pair_count)
            continue;
        made += BUFFERS_BESIDE_QUEUES + qgm->pair_count * 2 * QUEUE_LENGTH_MAX;
        found += CORE_WORD(core, pool_head) + CORE_WORD(core, held);
        for (uint32_t i = 0; i < qgm->pair_count; i++) {
            uint32_t pair = qgm->pair_list[i];
            found += (uint16_t)(QUEUE_WORD(pair, rx_posted) - QUEUE_WORD(pair, rx_taken));
            found += (uint16_t)(QUEUE_WORD(pair, tx_posted) - QUEUE_WORD(pair, tx_reclaimed));
        }
    }
    return (int32_t)(made - found);
}

void machine_advance(uint64_t cycles)
{
    now += cycles;
}

uint64_t read_tsc(void)
{
    if (has_threads)
        return __builtin_ia32_rdtsc();
    return now += TSC_PER_READ;
}

void cpu_relax(void)
{
    if (has_threads) {
        sched_yield();
    } else if (!in_turn) { /* the shell waits for a QGM */
        for (uint32_t core = 1; core < boot_info.core_count; core++)
            machine_turn(core);
    }
    if (!in_turn && !own_core)
        device_poll_control();
}

uint32_t port_read32(uint16_t port)
{
    (void)port;
    return (uint32_t)((unsigned __int128)read_tsc() * PM_TIMER_HZ / MACHINE_TSC_HZ) & PM_TIMER_MASK;
}

void port_write32(uint16_t port, uint32_t value)
{
    watch_fail("ring 3 writes to a port", (uint64_t)port << 32 | value);
}

struct start {
    uint32_t core;
    void (*entry)(void *argument);
    void *argument;
};

static void *run_core(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    own_core = start.core;
    start.entry(start.argument);
    return 0;
}

static long run(uint32_t core, void *entry, void *argument)
{
    if (core == 0 || core >= boot_info.core_count || boot_info.core[core].state == CORE_RUNNING)
        return -1;
    if (!has_threads && entry != (void *)qgm_run)
        return -1; /* other programs have no turns */
    __atomic_store_n(&boot_info.core[core].state, CORE_RUNNING, __ATOMIC_RELEASE);
    if (!has_threads) {
        running[core] = argument;
        qgm_begin(argument);
        return 0;
    }
    pthread_t thread;
    struct start *start = malloc(sizeof(*start));
    *start = (struct start){core, (void (*)(void *))entry, argument};
    pthread_create(&thread, 0, run_core, start);
    pthread_detach(thread);
    return 0;
}

long system_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)c;
    if (number == SYSTEM_CALL_RUN)
        return run((uint32_t)a, (void *)b, (void *)d);
    if (number == SYSTEM_CALL_PARK && own_core) {
        __atomic_store_n(&boot_info.core[own_core].state, CORE_PARKED, __ATOMIC_RELEASE);
        pthread_exit(0);
    }
    watch_fail("a system call that there is not", (uint64_t)number);
}
