#include "qgm.h"

#include "arp.h"
#include "buffers.h"
#include "engine.h"
#include "io.h"
#include "system_call.h"

struct shared shared;
struct message message_ring[MAX_CORES][MESSAGE_RING_LENGTH] __attribute__((aligned(PADDED_ALIGN)));

/*
 * Asks for a line in order to write it: the device has just written it, so a plain prefetch would take two transfers.
 * The compiler makes a plain one for the processors that this image is built for; those that lack it ignore this one.
 */
static inline void prefetch_to_write(uint64_t address)
{
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
}

/* Takes up to BATCH received frames; the first line of each is on its way into the cache when this returns. */
static uint32_t port_receive(struct port *port, uint32_t number, struct frame *frames)
{
    uint16_t taken = PORT_WORD(number, rx_taken);
    uint32_t count = virtqueue_returned(&port->rx, taken);
    uint64_t bytes = 0;
    if (count == 0)
        return 0;
    if (count > BATCH)
        count = BATCH;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size;
        const struct virtq_desc *desc = virtqueue_take(&port->rx, (uint16_t)(taken + i), &size);
        frames[i].bytes = (uint8_t *)desc->addr + LINK_HEADER;
        prefetch_to_write(desc->addr);
        frames[i].size = size - LINK_HEADER <= BUFFER_SIZE - LINK_HEADER ? size - LINK_HEADER : 0;
        bytes += frames[i].size;
    }
    PORT_WORD(number, rx_taken) = (uint16_t)(taken + count);
    PORT_WORD(number, rx_packets) += count;
    PORT_WORD(number, rx_bytes) += bytes;
    return count;
}

/* Gives the device a buffer for every free descriptor of the receive queue. */
static void port_refill(struct qgm *qgm, struct port *port, uint32_t number)
{
    uint16_t posted = PORT_WORD(number, rx_posted);
    uint16_t end = (uint16_t)(PORT_WORD(number, rx_taken) + port->rx.size);
    for (; posted != end; posted++) {
        struct virtq_desc *desc = virtqueue_next_free(&port->rx, posted);
        desc->addr = buffer_take(qgm);
        desc->len = BUFFER_SIZE;
    }
    PORT_WORD(number, rx_posted) = posted;
    virtqueue_publish(&port->rx, posted);
}

/* Takes back the buffers of frames that have been sent. */
static void port_reclaim(struct qgm *qgm, struct port *port, uint32_t number)
{
    uint16_t reclaimed = PORT_WORD(number, tx_reclaimed);
    uint32_t size;
    for (uint32_t count = virtqueue_returned(&port->tx, reclaimed); count; count--)
        buffer_free(qgm, virtqueue_take(&port->tx, reclaimed++, &size)->addr);
    PORT_WORD(number, tx_reclaimed) = reclaimed;
}

void port_flush(struct qgm *qgm, uint32_t number)
{
    struct staged *staged = &qgm->staged[number];
    struct port *port = &qgm->ports[number];
    uint32_t count = staged->count, room, i;
    uint64_t bytes = 0;
    if (count == 0)
        return;
    uint16_t posted = PORT_WORD(number, tx_posted);
    if ((uint16_t)(posted - PORT_WORD(number, tx_reclaimed)) > port->tx.size / 2)
        port_reclaim(qgm, port, number);
    room = port->tx.size - (uint16_t)(posted - PORT_WORD(number, tx_reclaimed));
    for (i = 0; i < count && i < room; i++, posted++) {
        struct frame frame = staged->frame[i];
        struct virtq_desc *desc = virtqueue_next_free(&port->tx, posted);
        __builtin_memset(frame.bytes - LINK_HEADER, 0, LINK_HEADER);
        desc->addr = (uint64_t)(frame.bytes - LINK_HEADER);
        desc->len = frame.size + LINK_HEADER;
        bytes += frame.size;
    }
    PORT_WORD(number, tx_posted) = posted;
    PORT_WORD(number, tx_packets) += i;
    PORT_WORD(number, tx_bytes) += bytes;
    virtqueue_publish(&port->tx, posted);
    for (; i < count; i++)
        frame_drop(qgm, number, staged->frame[i], DROP_tx_queue_full);
    staged->count = 0;
}

static void clear_counters(struct qgm *qgm)
{
    CORE_WORD(qgm->core, busy_cycles) = CORE_WORD(qgm->core, busy_packets) = CORE_WORD(qgm->core, busy_polls) = 0;
    CORE_WORD(qgm->core, polls) = CORE_WORD(qgm->core, originated) = CORE_WORD(qgm->core, consumed) = 0;
    for (uint32_t i = 0; i < qgm->port_count; i++) {
        uint32_t port = qgm->port_list[i];
        PORT_WORD(port, rx_packets) = PORT_WORD(port, rx_bytes) = 0;
        PORT_WORD(port, tx_packets) = PORT_WORD(port, tx_bytes) = 0;
        for (uint32_t reason = 0; reason < DROP_REASONS; reason++)
            PORT_DROP(port, reason) = 0;
    }
}

/* Forgets every dynamic neighbour of this QGM's ports; what waits for one is dropped. */
static void flush_neighbours(struct qgm *qgm)
{
    arp_give_up(qgm, DROP_neighbour_unreachable);
    for (uint32_t i = 0; i < qgm->port_count; i++) {
        struct neighbour_table *table = qgm->ports[qgm->port_list[i]].neighbours;
        for (uint32_t n = 0; n < NEIGHBOURS; n++)
            if (table->entry[n].state != NEIGHBOUR_STATIC)
                table->entry[n].state = NEIGHBOUR_FREE;
    }
}

static int32_t change_neighbour(struct qgm *qgm, const struct message *message)
{
    struct neighbour_table *table = qgm->ports[message->port].neighbours;
    uint32_t neighbour = neighbour_find_or_add(table, message->address);
    if (neighbour == NEIGHBOUR_NONE)
        return -1;
    if (message->kind == MESSAGE_SET_STATIC) {
        arp_resolve(qgm, message->port, neighbour, message->mac, NEIGHBOUR_STATIC);
        port_flush(qgm, message->port);
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
        flush_neighbours(qgm);
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

static inline void take_messages(struct qgm *qgm)
{
    uint32_t tail = RING_WORD(0, qgm->core, ring_tail);
    if (__builtin_expect(__atomic_load_n(&RING_WORD(0, qgm->core, ring_head), __ATOMIC_ACQUIRE) == tail, 1))
        return;
    qgm_handle(qgm, &message_ring[qgm->core][tail % MESSAGE_RING_LENGTH]);
    __atomic_store_n(&RING_WORD(0, qgm->core, ring_tail), tail + 1, __ATOMIC_RELEASE);
}

/* One look at every port; returns how many frames it handled. */
static inline uint32_t poll_ports(struct qgm *qgm)
{
    struct frame frames[BATCH];
    uint32_t handled = 0;
    for (uint32_t i = 0; i < qgm->port_count; i++) {
        uint32_t number = qgm->port_list[i];
        struct port *port = &qgm->ports[number];
        uint32_t count = port_receive(port, number, frames);
        if (count) {
            engine_input(qgm, number, frames, count);
            for (uint32_t out = 0; out < qgm->port_count; out++)
                port_flush(qgm, qgm->port_list[out]);
            port_refill(qgm, port, number);
            handled += count;
        }
        virtqueue_kick(&port->rx, PORT_WORD(number, rx_posted));
        virtqueue_kick(&port->tx, PORT_WORD(number, tx_posted));
    }
    return handled;
}

void qgm_run(struct qgm *qgm)
{
    for (uint32_t i = 0; i < qgm->port_count; i++)
        port_refill(qgm, &qgm->ports[qgm->port_list[i]], qgm->port_list[i]);
    qgm->now_tsc = read_tsc();
    qgm->timer_tsc = qgm->now_tsc;
    while (!qgm->stopping) {
        uint32_t handled = poll_ports(qgm);
        uint64_t now = read_tsc();
        if (handled) {
            CORE_WORD(qgm->core, busy_cycles) += now - qgm->now_tsc;
            CORE_WORD(qgm->core, busy_packets) += handled;
            CORE_WORD(qgm->core, busy_polls)++;
        } else {
            cpu_relax();
        }
        qgm->now_tsc = now;
        CORE_WORD(qgm->core, polls)++;
        take_messages(qgm);
        if (qgm->pending_count && now >= qgm->timer_tsc)
            arp_timer(qgm);
    }
    for (;;)
        system_call(SYSTEM_CALL_PARK, 0, 0, 0, 0);
}
