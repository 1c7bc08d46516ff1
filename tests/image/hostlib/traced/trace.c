#include "trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "boot_info.h"
#include "capacity.h"
#include "control.h"
#include "machine.h"
#include "tables.h"
#include "watch.h"

#define ACCESSES_MAX 65536
#define LINE 64
#define TEXT_MAX 96 /* of one access */
#define STACK_DEPTH 65536

enum kind { LOAD, STORE, ACQUIRE, RELEASE, PREFETCH, PREFETCH_TO_WRITE };

struct access {
    enum kind kind;
    uintptr_t at;
};

static struct access accesses[ACCESSES_MAX];
static uint32_t count;
static bool is_tracing;
static char text[ACCESSES_MAX * TEXT_MAX];
static size_t used;

static void note(enum kind kind, const volatile void *address)
{
    if (!is_tracing)
        return;
    if (count == ACCESSES_MAX)
        watch_fail("a turn makes more accesses than there is room for", count);
    accesses[count++] = (struct access){kind, (uintptr_t)address};
}

/* What gcc calls (gcc/sanitizer.def). */
void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *address, long size)
{
    (void)size;
    note(LOAD, address);
}

void __tsan_write_range(void *address, long size)
{
    (void)size;
    note(STORE, address);
}

void __tsan_atomic_thread_fence(int order)
{
    (void)order;
}

#define PLAIN(bytes)                                                                                                  \
    void __tsan_read##bytes(void *address) { note(LOAD, address); }                                                   \
    void __tsan_write##bytes(void *address) { note(STORE, address); }
PLAIN(1) PLAIN(2) PLAIN(4) PLAIN(8) PLAIN(16)

#define ATOMIC(bits)                                                                                                  \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *address, int order)                      \
    {                                                                                                                 \
        note(order == __ATOMIC_RELAXED ? LOAD : ACQUIRE, address);                                                    \
        return *address;                                                                                              \
    }                                                                                                                 \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t *address, uint##bits##_t value, int order)               \
    {                                                                                                                 \
        note(order == __ATOMIC_RELAXED ? STORE : RELEASE, address);                                                   \
        *address = value;                                                                                             \
    }
ATOMIC(8) ATOMIC(16) ATOMIC(32) ATOMIC(64)

void trace_prefetch(const void *address, int to_write, ...)
{
    note(to_write ? PREFETCH_TO_WRITE : PREFETCH, address);
}

/* Whether an address lies in an object; then also which element of so many bytes it is in. */
static bool lies_in(uintptr_t at, const volatile void *start, size_t size, size_t element_size, uint32_t *element)
{
    uintptr_t offset = at - (uintptr_t)start;
    *element = (uint32_t)(offset / element_size);
    return offset < size;
}

#define IF_IN(at, object, element_size, element) if (lies_in(at, &(object), sizeof(object), element_size, element))

static const char *word_of_core(uintptr_t at, uint32_t core)
{
    uint32_t unused;
#define CORE_NAME(type, name, owner, why) IF_IN(at, CORE_WORD(core, name), sizeof(type), &unused) return "core." #name;
    CORE_WORDS(CORE_NAME)
    IF_IN(at, shared.drops[core], sizeof(shared.drops[core]), &unused) return "core.drops";
    return 0;
}

static const char *word_of_queue(uintptr_t at, uint32_t pair)
{
    uint32_t unused;
#define QUEUE_NAME(type, name, owner, why) IF_IN(at, QUEUE_WORD(pair, name), sizeof(type), &unused) return "queue." #name;
    QUEUE_WORDS(QUEUE_NAME)
    return 0;
}

static const char *word_of_ring(uintptr_t at, uint32_t producer, uint32_t consumer)
{
    uint32_t unused;
#define RING_NAME(type, name, owner, why) IF_IN(at, RING_WORD(producer, consumer, name), sizeof(type), &unused) return #name;
    RING_WORDS(RING_NAME)
    return 0;
}

static const char *part_of_queue(uintptr_t at, uint32_t pair, bool tx, uint32_t *element)
{
#define PART(part, name, size) IF_IN(at, queue_memory[pair][tx].part, size, element) return tx ? "tx." name : "rx." name;
    PART(desc, "descriptor", sizeof(struct virtq_desc))
    PART(avail.idx, "available.index", 2)
    PART(avail.ring, "available.entry", 2)
    PART(used.flags, "used.flags", 2)
    PART(used.idx, "used.index", 2)
    PART(used.ring, "used.entry", sizeof(struct virtq_used_elem))
    return 0;
}

static const char *table(uintptr_t at, uint32_t *element)
{
    IF_IN(at, control.own, LINE, element) return "own";
    IF_IN(at, control.ports, sizeof(control.ports[0]), element) return "port";
    IF_IN(at, control.fib, sizeof(control.fib), element) return "fib";
    IF_IN(at, control.hops, sizeof(control.hops[0]), element) return "hop";
    IF_IN(at, fib_table24, sizeof(fib_table24[0]), element) return "fib.table24";
    IF_IN(at, fib_table8, sizeof(fib_table8[0]), element) return "fib.table8";
    for (uint32_t port = 0; port < MAX_PORTS; port++) {
        IF_IN(at, neighbour_tables[port].key, LINE, element) return "neighbour.key";
        IF_IN(at, neighbour_tables[port].entry, sizeof(struct neighbour), element) return "neighbour";
    }
    return 0;
}

/* Memory of this QGM alone. The stack grows downwards from the frame of who traces. */
static bool is_private(uintptr_t at, const struct qgm *qgm)
{
    uint32_t unused;
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    uint32_t buffers = BUFFERS_BESIDE_QUEUES + qgm->pair_count * 2 * QUEUE_LENGTH_MAX;
    return at - (frame - STACK_DEPTH) < 2 * STACK_DEPTH || lies_in(at, qgm, sizeof(*qgm), 1, &unused) ||
           lies_in(at, control.pairs, sizeof(control.pairs), 1, &unused) ||
           lies_in(at, qgm->pool, buffers * sizeof(*qgm->pool), 1, &unused);
}

static bool is_slot(uintptr_t at, const struct ring_end *end, uint32_t *element)
{
    return end->slots && lies_in(at, end->slots, (end->mask + 1) * sizeof(*end->slots), sizeof(*end->slots), element);
}

static void write_line(enum kind kind, const char *name, uint32_t a, uint32_t b)
{
    static const char *const kinds[] = {"load", "store", "acquire", "release", "prefetch", "prefetch_to_write"};
    used += (size_t)snprintf(text + used, TEXT_MAX, "%s %s %u.%u\n", kinds[kind], name, a, b);
}

/* Finds the word or the part of a queue; its element is (owner, number). */
static bool write_owned(const struct access *access)
{
    const char *name;
    for (uint32_t a = 0; a < MAX_CORES; a++) {
        if ((name = word_of_core(access->at, a))) {
            write_line(access->kind, name, a, 0);
            return true;
        }
        for (uint32_t b = 0; b < MAX_CORES; b++)
            if ((name = word_of_ring(access->at, a, b))) {
                write_line(access->kind, name, a, b);
                return true;
            }
    }
    for (uint32_t pair = 0; pair < MAX_QUEUE_PAIRS; pair++) {
        uint32_t element = 0;
        if ((name = word_of_queue(access->at, pair)) || (name = part_of_queue(access->at, pair, false, &element)) ||
            (name = part_of_queue(access->at, pair, true, &element))) {
            write_line(access->kind, name, pair, element);
            return true;
        }
    }
    return false;
}

static void write_access(const struct access *access, const struct qgm *qgm)
{
    uint32_t element;
    const char *name = table(access->at, &element);
    if (name) {
        write_line(access->kind, name, 0, element);
        return;
    }
    if (write_owned(access) || is_private(access->at, qgm))
        return;
    for (uint32_t core = 0; core < MAX_CORES; core++)
        if (is_slot(access->at, &qgm->to[core], &element) || is_slot(access->at, &qgm->from[core], &element)) {
            write_line(access->kind, "ring.slot", core, element);
            return;
        }
    bool is_buffer = access->at - boot_info.memory_start < boot_info.memory_end - boot_info.memory_start;
    write_line(access->kind, is_buffer ? "buffer.header" : "unknown", 0, (uint32_t)(access->at / LINE));
}

const char *trace_turn(uint32_t core)
{
    count = 0;
    used = 0;
    text[0] = 0;
    is_tracing = true;
    machine_turn(core);
    is_tracing = false;
    for (uint32_t i = 0; i < count; i++)
        write_access(&accesses[i], &control.qgms[core]);
    return text;
}
