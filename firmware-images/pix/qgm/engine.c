#include "engine.h"

#include "arp.h"
#include "buffers.h"
#include "fragment.h"
#include "icmp.h"
#include "options.h"

/* What classify() found; below VERDICT_FORWARD it is an enum drop_reason. */
enum { VERDICT_FORWARD = DROP_REASONS, VERDICT_ARP };

#define FRAME_MIN (ETHERNET_HEADER + IPV4_HEADER)

/* To the QGM that keeps the neighbours of the way out: what is not simply sent is its business. */
static void __attribute__((noinline)) send_by_keeper(struct qgm *qgm, uint32_t in_port, uint32_t number, uint32_t neighbour,
                                                     struct frame frame)
{
    uint32_t port = qgm->hops[number].port;
    if (qgm->ports[port].keeper != qgm->core)
        frame_cross(qgm, qgm->ports[port].keeper, in_port, number, frame);
    else if (neighbour == NEIGHBOUR_NONE)
        frame_drop(qgm, in_port, frame, DROP_neighbour_table_full);
    else
        arp_wait(qgm, in_port, port, neighbour, frame);
}

/* The neighbour that a packet on a connected network goes to; the keeper makes room for an unknown one. */
static inline uint32_t connected_neighbour(const struct qgm *qgm, const struct port *port, uint32_t destination)
{
    if (port->keeper == qgm->core)
        return neighbour_find_or_add(port->neighbours, destination);
    return neighbour_find(port->neighbours, destination);
}

/* The last step out: over a ring, or with the neighbour's address into a transmit queue, or into its waiting room. */
static inline void send_via(struct qgm *qgm, uint32_t in_port, uint32_t number, uint32_t destination, struct frame frame)
{
    const struct next_hop *hop = &qgm->hops[number];
    const struct port *out = &qgm->ports[hop->port];
    uint32_t neighbour = hop->neighbour;
    if (__builtin_expect(!out->started, 0)) {
        frame_drop(qgm, in_port, frame, DROP_port_down);
        return;
    }
    if (qgm->tx_pair[hop->port] == NO_PAIR) {
        frame_cross(qgm, qgm->way_out[hop->port], in_port, number, frame);
        return;
    }
    if (hop->kind == HOP_CONNECTED)
        neighbour = connected_neighbour(qgm, out, destination);
    const struct neighbour *entry = &out->neighbours->entry[neighbour];
    if (__builtin_expect(neighbour == NEIGHBOUR_NONE || __atomic_load_n(&entry->state, __ATOMIC_ACQUIRE) < NEIGHBOUR_REACHABLE, 0)) {
        send_by_keeper(qgm, in_port, number, neighbour, frame);
        return;
    }
    neighbour_write_link(entry, frame.bytes);
    port_stage(qgm, hop->port, frame);
}

void engine_send(struct qgm *qgm, uint32_t in_port, uint32_t hop, struct frame frame)
{
    send_via(qgm, in_port, hop, load32(frame.bytes + ETHERNET_HEADER + IPV4_DESTINATION), frame);
}

void engine_send_own(struct qgm *qgm, uint32_t in_port, struct frame frame)
{
    const uint8_t *ip = frame.bytes + ETHERNET_HEADER;
    uint32_t number = fib_lookup(qgm->fib, load32(ip + IPV4_DESTINATION));
    const struct next_hop *hop = &qgm->hops[number];
    uint32_t mtu = qgm->ports[hop->port].mtu;
    if (hop->kind != HOP_CONNECTED && hop->kind != HOP_GATEWAY)
        frame_drop(qgm, in_port, frame, DROP_icmp_unroutable);
    else if (load16(ip + IPV4_TOTAL_LENGTH) > mtu)
        fragment_send(qgm, in_port, number, mtu, frame);
    else
        engine_send(qgm, in_port, number, frame);
}

/* Takes a packet over whose options forbid to pass it on, and says so. */
static bool refuse_options(struct qgm *qgm, uint32_t in_port, struct frame frame)
{
    uint8_t at = 0;
    enum drop_reason wrong = options_check(frame.bytes + ETHERNET_HEADER, &at);
    if (wrong == DROP_NONE)
        return false;
    if (wrong == DROP_ip_options)
        icmp_parameter_problem(qgm, in_port, frame, at);
    else
        icmp_unreachable(qgm, in_port, frame, ICMP_SOURCE_ROUTE_FAILED);
    frame_drop(qgm, in_port, frame, wrong);
    return true;
}

/* A packet that has a way, but has options or is too long for it. */
static void send_with_care(struct qgm *qgm, uint32_t in_port, uint32_t number, struct frame frame)
{
    uint8_t *ip = frame.bytes + ETHERNET_HEADER;
    uint16_t mtu = qgm->ports[qgm->hops[number].port].mtu;
    bool is_long = load16(ip + IPV4_TOTAL_LENGTH) > mtu;
    if (is_long && (load16(ip + IPV4_FRAGMENT) & IPV4_DONT_FRAGMENT)) {
        icmp_fragmentation_needed(qgm, in_port, frame, mtu);
        frame_drop(qgm, in_port, frame, DROP_mtu_exceeded);
        return;
    }
    ipv4_decrement_ttl(ip);
    if (is_long)
        fragment_send(qgm, in_port, number, mtu, frame);
    else
        engine_send(qgm, in_port, number, frame);
}

/* A packet that is not simply passed on. */
static void __attribute__((noinline)) take_exception(struct qgm *qgm, uint32_t in_port, uint32_t number, struct frame frame)
{
    const uint8_t *ip = frame.bytes + ETHERNET_HEADER;
    uint8_t kind = qgm->hops[number].kind;
    if (kind == HOP_BROADCAST) {
        frame_drop(qgm, in_port, frame, DROP_broadcast);
    } else if (refuse_options(qgm, in_port, frame)) {
        return;
    } else if (kind == HOP_LOCAL) {
        icmp_local_input(qgm, in_port, frame);
    } else if (ip[IPV4_TTL] <= 1) {
        icmp_time_exceeded(qgm, in_port, frame);
        frame_drop(qgm, in_port, frame, DROP_ttl_expired);
    } else if (kind == HOP_NONE) {
        icmp_unreachable(qgm, in_port, frame, ICMP_NET_UNREACHABLE);
        frame_drop(qgm, in_port, frame, DROP_no_route);
    } else {
        send_with_care(qgm, in_port, number, frame);
    }
}

static inline void forward(struct qgm *qgm, uint32_t in_port, uint32_t destination, struct frame frame)
{
    uint8_t *ip = frame.bytes + ETHERNET_HEADER;
    uint32_t number = fib_lookup(qgm->fib, destination);
    const struct next_hop *hop = &qgm->hops[number];
    bool has_way = hop->kind == HOP_GATEWAY || hop->kind == HOP_CONNECTED, has_options = ip[0] != IPV4_FIRST_BYTE;
    bool is_long = load16(ip + IPV4_TOTAL_LENGTH) > qgm->ports[hop->port].mtu;
    if (__builtin_expect(!has_way || has_options || ip[IPV4_TTL] <= 1 || is_long, 0)) {
        take_exception(qgm, in_port, number, frame);
        return;
    }
    ipv4_decrement_ttl(ip);
    send_via(qgm, in_port, number, destination, frame);
}

static inline enum drop_reason check_addresses(const struct qgm *qgm, uint32_t source, uint32_t destination)
{
    if (ipv4_is_special(source) || own_contains(qgm->own, source))
        return DROP_martian_source;
    if (!ipv4_is_special(destination))
        return DROP_NONE;
    if (destination == 0xffffffff)
        return DROP_broadcast;
    return destination >> 28 == 14 ? DROP_multicast : DROP_martian_destination;
}

/* What a frame is, from its headers alone; asks for the FIB entry of those that are to be forwarded. */
static inline uint32_t classify(const struct qgm *qgm, uint64_t mac, struct frame frame, uint32_t *destination)
{
    const uint8_t *ip = frame.bytes + ETHERNET_HEADER;
    if (__builtin_expect(frame.size < FRAME_MIN, 0))
        return DROP_runt;
    bool for_us = mac_load(frame.bytes) == mac;
    uint16_t type = load16(frame.bytes + ETHERNET_TYPE);
    if (__builtin_expect(!for_us && !mac_is_group(frame.bytes), 0))
        return DROP_not_for_us;
    if (__builtin_expect(type != ETHERTYPE_IPV4, 0))
        return type == ETHERTYPE_ARP ? (uint32_t)VERDICT_ARP : (uint32_t)DROP_ethertype;
    if (__builtin_expect(!for_us, 0))
        return DROP_link_broadcast;
    enum drop_reason wrong = ipv4_check(ip, frame.size - ETHERNET_HEADER);
    if (__builtin_expect(wrong != DROP_NONE, 0))
        return wrong;
    *destination = load32(ip + IPV4_DESTINATION);
    wrong = check_addresses(qgm, load32(ip + IPV4_SOURCE), *destination);
    if (__builtin_expect(wrong != DROP_NONE, 0))
        return wrong;
    __builtin_prefetch(&qgm->fib->table24[*destination >> 8]);
    return VERDICT_FORWARD;
}

static void arp_or_cross(struct qgm *qgm, uint32_t in_port, struct frame frame)
{
    uint32_t keeper = qgm->ports[in_port].keeper;
    if (keeper == qgm->core)
        arp_input(qgm, in_port, frame);
    else
        frame_cross(qgm, keeper, in_port, HOP_NUMBER_KEEPER, frame);
}

void engine_input(struct qgm *qgm, uint32_t in_port, const struct frame *frames, uint32_t count)
{
    uint32_t destination[BATCH_MAX];
    uint8_t verdict[BATCH_MAX];
    uint64_t mac = qgm->ports[in_port].mac;
    for (uint32_t i = 0; i < count; i++)
        verdict[i] = (uint8_t)classify(qgm, mac, frames[i], &destination[i]);
    for (uint32_t i = 0; i < count; i++) {
        if (__builtin_expect(verdict[i] == VERDICT_FORWARD, 1))
            forward(qgm, in_port, destination[i], frames[i]);
        else if (verdict[i] == VERDICT_ARP)
            arp_or_cross(qgm, in_port, frames[i]);
        else
            frame_drop(qgm, in_port, frames[i], (enum drop_reason)verdict[i]);
    }
}

void engine_crossed(struct qgm *qgm, const struct crossed *crossed, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct frame frame = crossed[i].frame;
        if (crossed[i].hop == HOP_NUMBER_KEEPER)
            arp_input(qgm, crossed[i].in_port, frame);
        else
            send_via(qgm, crossed[i].in_port, crossed[i].hop, load32(frame.bytes + ETHERNET_HEADER + IPV4_DESTINATION), frame);
    }
}
