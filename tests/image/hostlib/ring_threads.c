/*
 * All rings between a few cores, each core a thread: every core sends to every other and receives from every other, in
 * batches of random sizes. A message's number lies in its buffer and, cut to fit, in its slot, so that a wrong order, a
 * slot seen too early and a buffer seen too early are all found.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#include "ring.h"
#include "shared.h"

#define CORES_MAX 4
#define SPARE 64 /* buffers of each core besides those in the slots */
#define BATCH_LIMIT 16

struct buffer {
    uint64_t number;
    uint32_t from, to;
};

struct ring_core {
    uint32_t core, cores, messages;
    uint64_t random;
    struct ring_end to[CORES_MAX], from[CORES_MAX];
    uint32_t sent[CORES_MAX], received[CORES_MAX];
    struct buffer *pool[SPARE];
    uint32_t pooled;
    const char *wrong;
};

static bool has_failed; /* one core found something wrong: the others need not wait for its messages */

const char *host_ring_threads(uint32_t cores, uint32_t messages, uint32_t length, uint64_t seed);

static uint32_t draw(struct ring_core *core, uint32_t limit)
{
    core->random = core->random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(core->random >> 33) % limit;
}

/* Up to a batch to one peer; returns how many. */
static uint32_t send_some(struct ring_core *core, uint32_t peer)
{
    uint32_t count = 0;
    for (uint32_t batch = draw(core, BATCH_LIMIT + 1); count < batch && core->sent[peer] < core->messages; count++) {
        struct ring_slot *slot = ring_put(&core->to[peer]);
        if (!slot)
            break;
        struct buffer *full = core->pool[--core->pooled];
        uint32_t number = core->sent[peer]++;
        *full = (struct buffer){number, core->core, peer};
        core->pool[core->pooled++] = (struct buffer *)slot->buffer;
        *slot = (struct ring_slot){(uint64_t)full, (uint16_t)number, (uint16_t)(number >> 16), (uint8_t)core->core};
    }
    if (draw(core, 4)) /* now and then the next batch publishes for two */
        ring_publish(&core->to[peer]);
    return count;
}

static uint32_t take_some(struct ring_core *core, uint32_t peer)
{
    uint32_t waiting = ring_waiting(&core->from[peer]), batch = draw(core, BATCH_LIMIT) + 1;
    uint32_t count = waiting < batch ? waiting : batch;
    for (uint32_t i = 0; i < count; i++) {
        struct ring_slot *slot = ring_take(&core->from[peer]);
        struct buffer *full = (struct buffer *)slot->buffer;
        uint32_t number = core->received[peer]++;
        if (slot->size != (uint16_t)number || slot->hop != (uint16_t)(number >> 16) || slot->in_port != peer)
            core->wrong = "a slot holds another message than the next one";
        if (full->number != number || full->from != peer || full->to != core->core)
            core->wrong = "a buffer holds another message than its slot says";
        slot->buffer = (uint64_t)core->pool[--core->pooled];
        core->pool[core->pooled++] = full;
    }
    ring_publish(&core->from[peer]);
    return count;
}

static void *run(void *argument)
{
    struct ring_core *core = argument;
    for (bool is_done = false; !is_done && !__atomic_load_n(&has_failed, __ATOMIC_RELAXED);) {
        uint32_t moved = 0;
        is_done = true;
        for (uint32_t peer = 0; peer < core->cores; peer++) {
            if (peer == core->core)
                continue;
            moved += send_some(core, peer) + take_some(core, peer);
            is_done = is_done && core->sent[peer] == core->messages && core->received[peer] == core->messages;
        }
        if (core->wrong)
            __atomic_store_n(&has_failed, true, __ATOMIC_RELAXED);
        else if (!moved)
            sched_yield();
    }
    for (uint32_t peer = 0; peer < core->cores; peer++)
        if (peer != core->core)
            ring_publish(&core->to[peer]);
    return 0;
}

/* After the threads have ended: every buffer is in exactly one slot or pool. */
static const char *count_buffers(struct ring_core *core, uint32_t cores, uint32_t length, struct buffer *buffers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        buffers[i].number = 0;
    for (uint32_t i = 0; i < cores; i++) {
        for (uint32_t k = 0; k < core[i].pooled; k++)
            core[i].pool[k]->number++;
        for (uint32_t peer = 0; peer < cores; peer++)
            for (uint32_t k = 0; peer != i && k < length; k++)
                ((struct buffer *)core[i].to[peer].slots[k].buffer)->number++;
    }
    for (uint32_t i = 0; i < count; i++)
        if (buffers[i].number != 1)
            return buffers[i].number ? "a buffer is in two places" : "a buffer is lost";
    return 0;
}

/* Sends so many messages over each ring of so many cores; returns what was wrong, or a null pointer. */
const char *host_ring_threads(uint32_t cores, uint32_t messages, uint32_t length, uint64_t seed)
{
    static struct ring_core core[CORES_MAX];
    pthread_t thread[CORES_MAX];
    uint32_t rings = cores * (cores - 1), count = rings * length + cores * SPARE, used = 0;
    struct buffer *buffers = calloc(count, sizeof(*buffers));
    struct ring_slot *slots = aligned_alloc(_Alignof(struct ring_slot), rings * length * sizeof(*slots));
    for (uint32_t i = 0; i < cores; i++) {
        core[i] = (struct ring_core){.core = i, .cores = cores, .messages = messages, .random = seed * CORES_MAX + i};
        while (core[i].pooled < SPARE)
            core[i].pool[core[i].pooled++] = &buffers[used++];
    }
    struct ring_slot *next = slots;
    has_failed = false;
    for (uint32_t i = 0; i < cores; i++)
        for (uint32_t peer = 0; peer < cores; peer++) {
            if (peer == i)
                continue;
            ring_connect(&core[i].to[peer], &core[peer].from[i], next, length, &RING_WORD(i, peer, ring_head),
                         &RING_WORD(i, peer, ring_tail));
            for (uint32_t k = 0; k < length; k++)
                *next++ = (struct ring_slot){.buffer = (uint64_t)&buffers[used++]};
        }
    for (uint32_t i = 0; i < cores; i++)
        pthread_create(&thread[i], 0, run, &core[i]);
    const char *wrong = 0;
    for (uint32_t i = 0; i < cores; i++) {
        pthread_join(thread[i], 0);
        wrong = core[i].wrong ? core[i].wrong : wrong;
    }
    if (!wrong)
        wrong = count_buffers(core, cores, length, buffers, count);
    free(slots);
    free(buffers);
    return wrong;
}
