#include "trace.h"

#include "shared.h"

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

const char *trace_shared_word(uintptr_t at, bool is_written, const void *who, struct trace_place *place)
{
    uint32_t unused;
    const char *name;
    (void)is_written;
    (void)who;
    if (!trace_lies_in(at, &shared, sizeof(shared), sizeof(shared), &unused))
        return 0;
    for (uint32_t a = 0; a < MAX_CORES; a++) {
        *place = (struct trace_place){a, 0};
        if ((name = word_of_core(at, a)))
            return name;
        for (uint32_t b = 0; b < MAX_CORES; b++) {
            *place = (struct trace_place){a, b};
            if ((name = word_of_ring(at, a, b)))
                return name;
        }
    }
    for (uint32_t pair = 0; pair < MAX_QUEUE_PAIRS; pair++) {
        *place = (struct trace_place){pair, 0};
        if ((name = word_of_queue(at, pair)))
            return name;
    }
    return TRACE_UNKNOWN;
}
