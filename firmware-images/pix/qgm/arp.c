#include "arp.h"

#include "buffers.h"
#include "icmp.h"

#define ARP_SIZE 28
#define ARP_OPERATION 6
#define ARP_SENDER_MAC 8
#define ARP_SENDER 14
#define ARP_TARGET_MAC 18
#define ARP_TARGET 24
#define ARP_REQUEST 1
#define ARP_REPLY 2
#define REQUESTS_MAX 3         /* a second apart: RFC 1122 2.3.2.1 allows one a second */
#define FAILED_HOLD_OFF_S 2    /* how long an unanswered neighbour is not asked again */
#define TIMER_HZ 100

static const uint8_t ethernet_ipv4[6] = {0, 1, 0x08, 0x00, 6, 4}; /* hardware and protocol type and lengths */

static void store_mac(uint8_t *to, uint64_t mac)
{
    __builtin_memcpy(to, &mac, 6);
}

static void send_request(struct qgm *qgm, uint32_t number, uint32_t address)
{
    const struct port *port = &qgm->ports[number];
    uint8_t *bytes = (uint8_t *)buffer_take(qgm) + LINK_HEADER;
    uint8_t *arp = bytes + ETHERNET_HEADER;
    __builtin_memset(bytes, 0, ETHERNET_MIN);
    __builtin_memset(bytes, 0xff, 6);
    store_mac(bytes + 6, port->mac);
    store16(bytes + ETHERNET_TYPE, ETHERTYPE_ARP);
    __builtin_memcpy(arp, ethernet_ipv4, sizeof(ethernet_ipv4));
    store16(arp + ARP_OPERATION, ARP_REQUEST);
    store_mac(arp + ARP_SENDER_MAC, port->mac);
    store32(arp + ARP_SENDER, port->address);
    store32(arp + ARP_TARGET, address);
    CORE_WORD(qgm->core, originated)++;
    port_stage(qgm, number, (struct frame){bytes, ETHERNET_MIN});
}

static void forget_pending(struct qgm *qgm, uint32_t port, uint32_t neighbour)
{
    for (uint32_t i = 0; i < qgm->pending_count; i++)
        if (qgm->pending[i].port == port && qgm->pending[i].neighbour == neighbour) {
            qgm->pending[i] = qgm->pending[--qgm->pending_count];
            return;
        }
}

void arp_resolve(struct qgm *qgm, uint32_t port, uint32_t neighbour, const uint8_t *mac, enum neighbour_state state)
{
    struct neighbour *entry = &qgm->ports[port].neighbours->entry[neighbour];
    uint32_t held = entry->held_count;
    if (entry->state == NEIGHBOUR_INCOMPLETE)
        forget_pending(qgm, port, neighbour);
    __builtin_memcpy(entry->link, mac, 6);
    store_mac(entry->link + 6, qgm->ports[port].mac);
    entry->held_count = 0;
    __atomic_store_n(&entry->state, state, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < held; i++) {
        __builtin_memcpy(entry->held[i].bytes, entry->link, 12);
        port_stage(qgm, port, entry->held[i]);
    }
    CORE_WORD(qgm->core, held) -= held;
}

static void reply(struct qgm *qgm, uint32_t number, struct frame frame)
{
    const struct port *port = &qgm->ports[number];
    uint8_t *arp = frame.bytes + ETHERNET_HEADER;
    uint32_t asked = load32(arp + ARP_TARGET);
    __builtin_memcpy(frame.bytes, arp + ARP_SENDER_MAC, 6);
    store_mac(frame.bytes + 6, port->mac);
    __builtin_memcpy(arp + ARP_TARGET_MAC, arp + ARP_SENDER_MAC, 10);
    store_mac(arp + ARP_SENDER_MAC, port->mac);
    store32(arp + ARP_SENDER, asked);
    store16(arp + ARP_OPERATION, ARP_REPLY);
    if (frame.size < ETHERNET_MIN) {
        __builtin_memset(frame.bytes + frame.size, 0, ETHERNET_MIN - frame.size); /* what lies there is not theirs to see */
        frame.size = ETHERNET_MIN;
    }
    port_stage(qgm, number, frame);
}

void arp_input(struct qgm *qgm, uint32_t number, struct frame frame)
{
    const struct port *port = &qgm->ports[number];
    const uint8_t *arp = frame.bytes + ETHERNET_HEADER;
    if (frame.size < ETHERNET_HEADER + ARP_SIZE) {
        frame_drop(qgm, number, frame, DROP_runt);
        return;
    }
    uint16_t operation = load16(arp + ARP_OPERATION);
    uint32_t sender = load32(arp + ARP_SENDER), target = load32(arp + ARP_TARGET);
    if (__builtin_memcmp(arp, ethernet_ipv4, sizeof(ethernet_ipv4)) ||
        (operation != ARP_REQUEST && operation != ARP_REPLY) || mac_is_group(arp + ARP_SENDER_MAC) ||
        (sender == port->address && sender)) {
        frame_drop(qgm, number, frame, DROP_arp_invalid);
        return;
    }
    bool to_us = port->address && target == port->address;
    bool on_link = sender && ((sender ^ port->address) & port->mask) == 0;
    uint32_t neighbour = NEIGHBOUR_NONE;
    if (port->address && on_link)
        neighbour = to_us ? neighbour_find_or_add(port->neighbours, sender) : neighbour_find(port->neighbours, sender);
    if (neighbour != NEIGHBOUR_NONE && port->neighbours->entry[neighbour].state != NEIGHBOUR_STATIC)
        arp_resolve(qgm, number, neighbour, arp + ARP_SENDER_MAC, NEIGHBOUR_REACHABLE);
    if (!to_us) {
        frame_drop(qgm, number, frame, DROP_arp_not_for_us);
    } else if (operation == ARP_REQUEST) {
        reply(qgm, number, frame);
    } else {
        CORE_WORD(qgm->core, consumed)++;
        buffer_free(qgm, (uint64_t)(frame.bytes - LINK_HEADER));
    }
}

static bool start_asking(struct qgm *qgm, uint32_t port, uint32_t neighbour)
{
    struct neighbour *entry = &qgm->ports[port].neighbours->entry[neighbour];
    if (qgm->pending_count == PENDING_MAX)
        return false;
    qgm->pending[qgm->pending_count++] = (struct pending){(uint8_t)port, (uint16_t)neighbour};
    entry->state = NEIGHBOUR_INCOMPLETE;
    entry->requests = 1;
    entry->deadline_tsc = qgm->now_tsc + qgm->tsc_hz;
    send_request(qgm, port, entry->address);
    return true;
}

void arp_wait(struct qgm *qgm, uint32_t in_port, uint32_t port, uint32_t neighbour, struct frame frame)
{
    struct neighbour *entry = &qgm->ports[port].neighbours->entry[neighbour];
    if (entry->state == NEIGHBOUR_FAILED && qgm->now_tsc < entry->deadline_tsc) {
        icmp_unreachable(qgm, in_port, frame, ICMP_HOST_UNREACHABLE);
        frame_drop(qgm, in_port, frame, DROP_neighbour_unreachable);
        return;
    }
    if (entry->state != NEIGHBOUR_INCOMPLETE && !start_asking(qgm, port, neighbour)) {
        frame_drop(qgm, in_port, frame, DROP_neighbour_table_full);
        return;
    }
    if (entry->held_count == HOLD_MAX) {
        frame_drop(qgm, in_port, frame, DROP_neighbour_unresolved);
        return;
    }
    frame.bytes[0] = (uint8_t)in_port; /* the link-layer addresses are rewritten anyway */
    entry->held[entry->held_count++] = frame;
    CORE_WORD(qgm->core, held)++;
}

static void drop_held(struct qgm *qgm, struct neighbour *entry, enum drop_reason why)
{
    uint32_t held = entry->held_count;
    entry->held_count = 0;
    CORE_WORD(qgm->core, held) -= held;
    for (uint32_t i = 0; i < held; i++) {
        uint32_t in_port = entry->held[i].bytes[0];
        if (why == DROP_neighbour_unreachable)
            icmp_unreachable(qgm, in_port, entry->held[i], ICMP_HOST_UNREACHABLE);
        frame_drop(qgm, in_port, entry->held[i], why);
    }
}

void arp_timer(struct qgm *qgm)
{
    qgm->timer_tsc = qgm->now_tsc + qgm->tsc_hz / TIMER_HZ;
    for (uint32_t i = 0; i < qgm->pending_count;) {
        struct pending pending = qgm->pending[i];
        struct neighbour *entry = &qgm->ports[pending.port].neighbours->entry[pending.neighbour];
        if (qgm->now_tsc < entry->deadline_tsc) {
            i++;
        } else if (entry->requests < REQUESTS_MAX) {
            entry->requests++;
            entry->deadline_tsc = qgm->now_tsc + qgm->tsc_hz;
            send_request(qgm, pending.port, entry->address);
            i++;
        } else {
            qgm->pending[i] = qgm->pending[--qgm->pending_count];
            entry->state = NEIGHBOUR_FAILED;
            entry->deadline_tsc = qgm->now_tsc + FAILED_HOLD_OFF_S * qgm->tsc_hz;
            drop_held(qgm, entry, DROP_neighbour_unreachable);
        }
    }
    for (uint32_t i = 0; i < qgm->port_count; i++)
        port_flush(qgm, qgm->port_list[i]);
}

void arp_give_up(struct qgm *qgm, enum drop_reason why)
{
    while (qgm->pending_count) {
        struct pending pending = qgm->pending[--qgm->pending_count];
        struct neighbour *entry = &qgm->ports[pending.port].neighbours->entry[pending.neighbour];
        entry->state = NEIGHBOUR_FREE;
        drop_held(qgm, entry, why);
    }
}
