/* Core 1 transmits by a split virtqueue (drivers/virtqueue.h) as the QGM does; core 2 is the device and polls it. */
#include "window.h"

#define PAIR 0
#define FRAME_BYTES 72 /* with the link header */

static inline uint32_t post(struct bench_core *me)
{
    struct virtqueue *queue = &me->window->queue;
    uint32_t batch = me->window->request.batch, count = 0, size;
    uint16_t posted = QUEUE_WORD(PAIR, tx_posted), reclaimed = QUEUE_WORD(PAIR, tx_reclaimed);
    if ((uint16_t)(posted - reclaimed) > queue->size / 2) {
        for (uint32_t back = virtqueue_returned(queue, reclaimed); back; back--)
            bench_give(me, (uint32_t)virtqueue_take(queue, reclaimed++, &size)->addr);
        QUEUE_WORD(PAIR, tx_reclaimed) = reclaimed;
    }
    for (; count < batch && (uint16_t)(posted - reclaimed) < queue->size; count++, posted++) {
        struct virtq_desc *desc = virtqueue_next_free(queue, posted);
        desc->addr = bench_take(me) | (me->sent + count) << 32;
        desc->len = FRAME_BYTES;
    }
    if (count == 0)
        return 0;
    QUEUE_WORD(PAIR, tx_posted) = posted;
    QUEUE_WORD(PAIR, tx_packets) += count;
    QUEUE_WORD(PAIR, tx_bytes) += count * FRAME_BYTES;
    virtqueue_publish(queue, posted);
    me->sent += count;
    return count;
}

static inline uint32_t serve(struct bench_core *me)
{
    struct virtqueue *queue = &me->window->queue;
    struct virtqueue_memory *memory = queue->memory;
    uint16_t taken = (uint16_t)me->received;
    uint32_t count = (uint16_t)(__atomic_load_n(&memory->avail.idx, __ATOMIC_ACQUIRE) - taken);
    if (count > BATCH_MAX)
        count = BATCH_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = (taken + i) & queue->mask, id = memory->avail.ring[slot];
        if (memory->desc[id].addr >> 32 != (uint32_t)(me->received + i) || memory->desc[id].len != FRAME_BYTES)
            me->wrong++;
        memory->used.ring[slot].id = id;
    }
    if (count)
        __atomic_store_n(&memory->used.idx, (uint16_t)(taken + count), __ATOMIC_RELEASE);
    me->received += count;
    return count;
}

static inline uint32_t turn(struct bench_core *me, bool sourcing)
{
    if (me->number == 1)
        return sourcing ? post(me) : 0;
    return serve(me);
}

static void work(struct bench_core *me)
{
    uint32_t size;
    bench_turns(me, turn);
    bench_meet(me); /* the device has given everything back */
    if (me->number != 1)
        return;
    uint16_t reclaimed = QUEUE_WORD(PAIR, tx_reclaimed);
    for (uint32_t back = virtqueue_returned(&me->window->queue, reclaimed); back; back--)
        bench_give(me, (uint32_t)virtqueue_take(&me->window->queue, reclaimed++, &size)->addr);
}

const char *bench_tx_prepare(struct bench_window *window)
{
    struct bench_core *core = &window->core[1];
    uint32_t length = window->request.length;
    window->work = work;
    /* Allocated first, so that it begins where the platform's memory does: aligned to 4096 bytes. */
    window->queue.memory = bench_allocate(window, sizeof(*window->queue.memory));
    core->pool = bench_allocate(window, length * sizeof(*core->pool));
    if (!window->queue.memory || !core->pool)
        return "not enough memory";
    virtqueue_init(&window->queue, (uint16_t)length, 0, 0);
    for (uint32_t i = 0; i < length; i++)
        core->pool[i] = i;
    core->free_after = CORE_WORD(1, pool_head) = length;
    return 0;
}
