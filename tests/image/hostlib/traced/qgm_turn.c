#include "qgm_turn.h"

#include "boot_info.h"
#include "capacity.h"
#include "control.h"
#include "machine.h"
#include "tables.h"
#include "trace.h"

#define LINE 64

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

static const char *part_of_queues(uintptr_t at, struct trace_place *place)
{
    const char *name;
    for (uint32_t pair = 0; pair < MAX_QUEUE_PAIRS; pair++) {
        place->a = pair;
        if ((name = part_of_queue(at, pair, false, &place->b)) || (name = part_of_queue(at, pair, true, &place->b)))
            return name;
    }
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

/* Memory of this QGM alone. */
static bool is_private(uintptr_t at, const struct qgm *qgm)
{
    uint32_t unused;
    uint32_t buffers = BUFFERS_BESIDE_QUEUES + qgm->pair_count * 2 * QUEUE_LENGTH_MAX;
    return trace_lies_in(at, qgm, sizeof(*qgm), 1, &unused) ||
           trace_lies_in(at, control.pairs, sizeof(control.pairs), 1, &unused) ||
           trace_lies_in(at, qgm->pool, buffers * sizeof(*qgm->pool), 1, &unused);
}

static bool is_slot(uintptr_t at, const struct ring_end *end, uint32_t *element)
{
    return end->slots && trace_lies_in(at, end->slots, (end->mask + 1) * sizeof(*end->slots), sizeof(*end->slots), element);
}

static const char *name_of(uintptr_t at, bool is_written, const void *who, struct trace_place *place)
{
    const struct qgm *qgm = who;
    const char *name = trace_shared_word(at, is_written, who, place);
    if (name || (name = part_of_queues(at, place)))
        return name;
    *place = (struct trace_place){0, 0};
    if ((name = table(at, &place->b)))
        return name;
    if (is_private(at, qgm))
        return 0;
    for (uint32_t core = 0; core < MAX_CORES; core++) {
        place->a = core;
        if (is_slot(at, &qgm->to[core], &place->b) || is_slot(at, &qgm->from[core], &place->b))
            return "ring.slot";
    }
    bool is_buffer = at - boot_info.memory_start < boot_info.memory_end - boot_info.memory_start;
    *place = (struct trace_place){0, (uint32_t)(at / LINE)};
    return is_buffer ? "buffer.header" : TRACE_UNKNOWN;
}

const char *trace_turn(uint32_t core)
{
    trace_begin();
    machine_turn(core);
    return trace_end(name_of, &control.qgms[core]);
}
