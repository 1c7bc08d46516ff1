/*
 * Messages over the rings of qgm/ring.h, a buffer exchanged for an empty one by each: from core 1 to core 2, or from each core
 * to every other.
 */
#include "window.h"

static const char no_memory[] = "not enough memory: ask for shorter rings or fewer cores";

static inline uint32_t send(struct bench_core *me, uint32_t other)
{
    struct ring_end *end = &me->to[other];
    uint32_t count = 0, batch = me->window->request.batch;
    for (; count < batch; count++) {
        struct ring_slot *slot = ring_put(end);
        if (!slot)
            break;
        uint32_t sequence = me->sequence_to[other]++, empty = (uint32_t)slot->buffer;
        slot->buffer = bench_take(me);
        slot->size = (uint16_t)sequence;
        slot->hop = (uint16_t)(sequence >> 16);
        slot->in_port = (uint8_t)me->number;
        bench_give(me, empty);
        CORE_WORD(me->number, ring_out)++;
    }
    ring_publish(end);
    me->sent += count;
    return count;
}

static inline uint32_t receive(struct bench_core *me, uint32_t other)
{
    struct ring_end *end = &me->from[other];
    uint32_t count = ring_waiting(end), batch = me->window->request.batch;
    if (count > batch)
        count = batch;
    for (uint32_t i = 0; i < count; i++) {
        struct ring_slot *slot = ring_take(end);
        uint32_t full = (uint32_t)slot->buffer, sequence = slot->size | (uint32_t)slot->hop << 16;
        if (sequence != me->sequence_from[other]++ || slot->in_port != other)
            me->wrong++;
        slot->buffer = bench_take(me);
        bench_give(me, full);
    }
    ring_publish(end);
    me->received += count;
    return count;
}

static inline uint32_t turn(struct bench_core *me, bool sourcing)
{
    uint32_t sent = 0, received = 0, cores = me->window->cores;
    for (uint32_t other = 1; other <= cores; other++) {
        if (sourcing && me->to[other].slots)
            sent += send(me, other);
        if (me->from[other].slots)
            received += receive(me, other);
    }
    if (received)
        CORE_WORD(me->number, ring_in) += received;
    return sent + received;
}

static void work(struct bench_core *me)
{
    bench_turns(me, turn);
}

const char *bench_ring_prepare(struct bench_window *window)
{
    uint32_t buffers = 0;
    window->work = work;
    for (uint32_t producer = 1; producer <= window->cores; producer++)
        for (uint32_t consumer = 1; consumer <= window->cores; consumer++) {
            if (producer == consumer || (window->request.kind == BENCH_ring && producer != 1))
                continue;
            if (!bench_connect(window, producer, consumer, buffers))
                return no_memory;
            buffers += window->request.length;
        }
    for (uint32_t i = 1; i <= window->cores; i++) {
        struct bench_core *core = &window->core[i];
        core->pool = bench_allocate(window, 2 * BATCH_MAX * sizeof(*core->pool));
        if (!core->pool)
            return no_memory;
        for (uint32_t n = 0; n < BATCH_MAX; n++)
            core->pool[n] = buffers++;
        core->free_after = CORE_WORD(i, pool_head) = BATCH_MAX;
    }
    return 0;
}
