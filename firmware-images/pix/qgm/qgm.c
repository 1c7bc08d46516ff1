#include "qgm.h"

#include "arp.h"
#include "buffers.h"
#include "engine.h"
#include "io.h"
#include "system_call.h"

struct shared shared;
struct message message_ring[MAX_CORES][MESSAGE_RING_LENGTH] __attribute__((aligned(PADDED_ALIGN)));

/* Takes up to a batch of received frames; the first line of each is on its way into the cache when this returns. */
static uint32_t pair_receive(const struct qgm *qgm, uint32_t number, struct frame *frames)
{
    struct queue_pair *pair = &qgm->pairs[number];
    uint16_t taken = QUEUE_WORD(number, rx_taken);
    uint32_t count = virtqueue_returned(&pair->rx, taken);
    uint64_t bytes = 0;
    if (count == 0)
        return 0;
    if (count > qgm->batch)
        count = qgm->batch;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size;
        const struct virtq_desc *desc = virtqueue_take(&pair->rx, (uint16_t)(taken + i), &size);
        frames[i].bytes = (uint8_t *)desc->addr + LINK_HEADER;
        prefetch_to_write(desc->addr);
        frames[i].size = size - LINK_HEADER <= BUFFER_SIZE - LINK_HEADER ? size - LINK_HEADER : 0;
        bytes += frames[i].size;
    }
    QUEUE_WORD(number, rx_taken) = (uint16_t)(taken + count);
    QUEUE_WORD(number, rx_packets) += count;
    QUEUE_WORD(number, rx_bytes) += bytes;
    return count;
}

/* Gives the device a buffer for every free descriptor of the receive queue. */
static void pair_refill(struct qgm *qgm, uint32_t number)
{
    struct virtqueue *rx = &qgm->pairs[number].rx;
    uint16_t posted = QUEUE_WORD(number, rx_posted);
    uint16_t end = (uint16_t)(QUEUE_WORD(number, rx_taken) + rx->size);
    for (; posted != end; posted++) {
        struct virtq_desc *desc = virtqueue_next_free(rx, posted);
        desc->addr = buffer_take(qgm);
        desc->len = BUFFER_SIZE;
    }
    QUEUE_WORD(number, rx_posted) = posted;
    virtqueue_publish(rx, posted);
}

/* Takes back the buffers of frames that have been sent. */
static void pair_reclaim(struct qgm *qgm, uint32_t number)
{
    struct virtqueue *tx = &qgm->pairs[number].tx;
    uint16_t reclaimed = QUEUE_WORD(number, tx_reclaimed);
    uint32_t size;
    for (uint32_t count = virtqueue_returned(tx, reclaimed); count; count--)
        buffer_free(qgm, virtqueue_take(tx, reclaimed++, &size)->addr);
    QUEUE_WORD(number, tx_reclaimed) = reclaimed;
}

void port_flush(struct qgm *qgm, uint32_t port)
{
    struct staged *staged = &qgm->staged[port];
    uint32_t count = staged->count, number = qgm->tx_pair[port], i = 0;
    uint64_t bytes = 0;
    if (!count)
        return;
    struct virtqueue *tx = &qgm->pairs[number].tx;
    uint16_t posted = QUEUE_WORD(number, tx_posted);
    /* Not in every turn: the device writes these lines, and each look at them is a transfer between cores. */
    if ((uint16_t)(posted - QUEUE_WORD(number, tx_reclaimed)) + count > tx->size / 2u)
        pair_reclaim(qgm, number);
    uint16_t end = (uint16_t)(QUEUE_WORD(number, tx_reclaimed) + tx->size);
    for (; i < count && posted != end; i++, posted++) {
        struct frame frame = staged->frame[i];
        struct virtq_desc *desc = virtqueue_next_free(tx, posted);
        desc->addr = (uint64_t)(frame.bytes - LINK_HEADER);
        desc->len = LINK_HEADER + frame.size;
        bytes += frame.size;
    }
    QUEUE_WORD(number, tx_posted) = posted;
    QUEUE_WORD(number, tx_packets) += i;
    QUEUE_WORD(number, tx_bytes) += bytes;
    virtqueue_publish(tx, posted);
    for (; i < count; i++)
        frame_drop(qgm, port, staged->frame[i], DROP_tx_queue_full);
    staged->count = 0;
}

static void clear_counters(struct qgm *qgm)
{
    CORE_WORD(qgm->core, busy_cycles) = CORE_WORD(qgm->core, busy_packets) = CORE_WORD(qgm->core, busy_polls) = 0;
    CORE_WORD(qgm->core, polls) = CORE_WORD(qgm->core, originated) = CORE_WORD(qgm->core, consumed) = 0;
    CORE_WORD(qgm->core, ring_in) = CORE_WORD(qgm->core, ring_out) = CORE_WORD(qgm->core, icmp_suppressed) = 0;
    for (uint32_t i = 0; i < qgm->pair_count; i++) {
        uint32_t pair = qgm->pair_list[i];
        QUEUE_WORD(pair, rx_packets) = QUEUE_WORD(pair, rx_bytes) = 0;
        QUEUE_WORD(pair, tx_packets) = QUEUE_WORD(pair, tx_bytes) = 0;
    }
    for (uint32_t port = 0; port < MAX_PORTS; port++)
        for (uint32_t reason = 0; reason < DROP_REASONS; reason++)
            DROP_WORD(qgm->core, port, reason) = 0;
}

static int32_t change_neighbour(struct qgm *qgm, const struct message *message)
{
    struct neighbour_table *table = qgm->ports[message->port].neighbours;
    uint32_t neighbour = neighbour_find_or_add(table, message->address);
    if (neighbour == NEIGHBOUR_NONE)
        return -1;
    if (message->kind == MESSAGE_SET_STATIC) {
        arp_resolve(qgm, message->port, neighbour, message->mac, NEIGHBOUR_STATIC);
    } else {
        table->entry[neighbour].tracked = message->kind == MESSAGE_TRACK;
    }
    return (int32_t)neighbour;
}

void qgm_handle(struct qgm *qgm, struct message *message)
{
    message->result = 0;
    switch (message->kind) {
    case MESSAGE_TRACK:
    case MESSAGE_UNTRACK:
    case MESSAGE_SET_STATIC:
        message->result = change_neighbour(qgm, message);
        break;
    case MESSAGE_FLUSH:
        arp_flush(qgm);
        break;
    case MESSAGE_ANNOUNCE:
        arp_announce(qgm, message->port);
        break;
    case MESSAGE_CLEAR_COUNTERS:
        clear_counters(qgm);
        break;
    case MESSAGE_STOP:
        arp_give_up(qgm, DROP_stopped);
        qgm->stopping = true;
        break;
    }
}

/* Carries out one message of the generic core, if there is one; returns how many. */
static inline uint32_t take_message(struct qgm *qgm)
{
    uint32_t tail = RING_WORD(0, qgm->core, ring_tail);
    if (__builtin_expect(__atomic_load_n(&RING_WORD(0, qgm->core, ring_head), __ATOMIC_ACQUIRE) == tail, 1))
        return 0;
    qgm_handle(qgm, &message_ring[qgm->core][tail % MESSAGE_RING_LENGTH]);
    __atomic_store_n(&RING_WORD(0, qgm->core, ring_tail), tail + 1, __ATOMIC_RELEASE);
    return 1;
}

/* One look at every receive queue; returns how many frames it handled. */
static inline uint32_t poll_queues(struct qgm *qgm)
{
    struct frame frames[BATCH_MAX];
    uint32_t handled = 0;
    for (uint32_t i = 0; i < qgm->pair_count; i++) {
        uint32_t number = qgm->pair_list[i];
        uint32_t count = pair_receive(qgm, number, frames);
        if (count) {
            engine_input(qgm, qgm->pairs[number].port, frames, count);
            handled += count;
        }
    }
    return handled;
}

/* One look at the ring from every other QGM; returns how many frames it handled. */
static inline uint32_t poll_rings(struct qgm *qgm)
{
    struct crossed crossed[BATCH_MAX];
    uint32_t handled = 0;
    for (uint32_t i = 0; i < qgm->peer_count; i++) {
        struct ring_end *from = &qgm->from[qgm->peer_list[i]];
        uint32_t count = ring_waiting(from);
        if (!count)
            continue;
        if (count > qgm->batch)
            count = qgm->batch;
        for (uint32_t n = 0; n < count; n++) {
            struct ring_slot *slot = ring_take(from);
            prefetch_to_write(slot->buffer);
            crossed[n] = (struct crossed){{(uint8_t *)slot->buffer + LINK_HEADER, slot->size}, slot->hop, slot->in_port};
            slot->buffer = buffer_take(qgm);
        }
        ring_publish(from);
        engine_crossed(qgm, crossed, count);
        handled += count;
    }
    if (handled)
        CORE_WORD(qgm->core, ring_in) += handled;
    return handled;
}

/* What a turn has made goes out, and what it has used up is given anew. */
static inline void finish_turn(struct qgm *qgm)
{
    for (uint32_t i = 0; i < qgm->port_count; i++)
        port_flush(qgm, qgm->port_list[i]);
    for (uint32_t i = 0; i < qgm->peer_count; i++)
        ring_publish(&qgm->to[qgm->peer_list[i]]);
    for (uint32_t i = 0; i < qgm->pair_count; i++)
        pair_refill(qgm, qgm->pair_list[i]);
}

static inline void kick(struct qgm *qgm)
{
    for (uint32_t i = 0; i < qgm->pair_count; i++) {
        uint32_t number = qgm->pair_list[i];
        virtqueue_kick(&qgm->pairs[number].rx, QUEUE_WORD(number, rx_posted));
        virtqueue_kick(&qgm->pairs[number].tx, QUEUE_WORD(number, tx_posted));
    }
}

void qgm_begin(struct qgm *qgm)
{
    finish_turn(qgm);
    qgm->now_tsc = read_tsc();
    arp_start(qgm);
}

void qgm_turn(struct qgm *qgm)
{
    uint32_t handled = poll_queues(qgm) + poll_rings(qgm);
    uint32_t others = take_message(qgm);
    if (qgm->now_tsc >= qgm->timer_tsc) {
        arp_timer(qgm);
        others++;
    }
    if (handled || others)
        finish_turn(qgm);
    kick(qgm);
    if (!handled)
        cpu_relax(); /* before the clock is read: a pause is not work of the turn that follows it */
    uint64_t now = read_tsc();
    if (handled) {
        CORE_WORD(qgm->core, busy_cycles) += now - qgm->now_tsc;
        CORE_WORD(qgm->core, busy_packets) += handled;
        CORE_WORD(qgm->core, busy_polls)++;
    }
    qgm->now_tsc = now;
    CORE_WORD(qgm->core, polls)++;
}

void qgm_run(struct qgm *qgm)
{
    qgm_begin(qgm);
    while (!qgm->stopping)
        qgm_turn(qgm);
    for (;;)
        system_call(SYSTEM_CALL_PARK, 0, 0, 0, 0);
}
