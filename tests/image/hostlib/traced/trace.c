#include "trace.h"

#include <stdio.h>
#include <stdlib.h>

#define ACCESSES_MAX 65536
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

static void note(enum kind kind, const volatile void *address)
{
    if (!is_tracing)
        return;
    if (count == ACCESSES_MAX) {
        fprintf(stderr, "trace: a turn makes more accesses than there is room for (%u)\n", count);
        abort();
    }
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

void __tsan_read_range(const void *address, unsigned long size)
{
    (void)size;
    note(LOAD, address);
}

void __tsan_write_range(void *address, unsigned long size)
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

void trace_begin(void)
{
    count = 0;
    is_tracing = true;
}

/* The stack grows downwards from the frame of who traces. */
static bool is_on_stack(uintptr_t at)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    return at - (frame - STACK_DEPTH) < 2 * STACK_DEPTH;
}

const char *trace_end(trace_namer *name_of, const void *who)
{
    static const char *const kinds[] = {"load", "store", "acquire", "release", "prefetch", "prefetch_to_write"};
    size_t used = 0;
    is_tracing = false;
    text[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        enum kind kind = accesses[i].kind;
        struct trace_place place = {0, 0};
        if (is_on_stack(accesses[i].at))
            continue;
        const char *name = name_of(accesses[i].at, kind == STORE || kind == RELEASE, who, &place);
        if (name)
            used += (size_t)snprintf(text + used, TEXT_MAX, "%s %s %u.%u\n", kinds[kind], name, place.a, place.b);
    }
    return text;
}
