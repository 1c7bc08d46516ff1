#include "arp.h"

#include "buffers.h"
#include "icmp.h"

#define SETS_PER_TURN 8           /* of one port's table, that a timer looks at for old neighbours */
#define ANNOUNCE_INTERVAL 2       /* patiences: RFC 5227 1.1 says 2 s, which this is by default */
#define DEFEND_INTERVAL_S 10      /* RFC 5227 1.1 */

static struct neighbour *entry_of(struct qgm *qgm, uint32_t port, uint32_t neighbour)
{
    return &qgm->ports[port].neighbours->entry[neighbour];
}

static bool keeps(const struct qgm *qgm, uint32_t port)
{
    return qgm->ports[port].keeper == qgm->core;
}

/* How long the answer to the last of so many requests is waited for, in cycles. */
static uint64_t patience(const struct qgm *qgm, uint32_t requests)
{
    return qgm->tsc_hz * qgm->tuning->arp_retry_ms / 1000 << (requests - 1);
}

static void ask(struct qgm *qgm, uint32_t port, struct neighbour *entry)
{
    uint8_t mac[8];
    __builtin_memcpy(mac, &entry->link_head, 8);
    entry->requests++;
    entry->since_tsc = qgm->now_tsc;
    arp_request(qgm, port, entry->address, entry->state == NEIGHBOUR_CONFIRMING ? mac : 0);
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
    struct neighbour *entry = entry_of(qgm, port, neighbour);
    uint32_t held = entry->held_count;
    if (entry->state == NEIGHBOUR_INCOMPLETE)
        forget_pending(qgm, port, neighbour);
    neighbour_set_link(entry, mac, qgm->ports[port].mac);
    entry->held_count = 0;
    entry->requests = 0;
    entry->since_tsc = qgm->now_tsc;
    __atomic_store_n(&entry->state, state, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < held; i++) {
        neighbour_write_link(entry, entry->held[i].bytes);
        port_stage(qgm, port, entry->held[i]);
    }
    CORE_WORD(qgm->core, held) -= held;
}

static bool start_asking(struct qgm *qgm, uint32_t port, uint32_t neighbour)
{
    struct neighbour *entry = entry_of(qgm, port, neighbour);
    if (qgm->pending_count == PENDING_MAX)
        return false;
    qgm->pending[qgm->pending_count++] = (struct pending){(uint8_t)port, (uint16_t)neighbour};
    entry->state = NEIGHBOUR_INCOMPLETE;
    entry->requests = 0;
    ask(qgm, port, entry);
    return true;
}

void arp_wait(struct qgm *qgm, uint32_t in_port, uint32_t port, uint32_t neighbour, struct frame frame)
{
    struct neighbour *entry = entry_of(qgm, port, neighbour);
    if (entry->state == NEIGHBOUR_FAILED && qgm->now_tsc - entry->since_tsc < patience(qgm, ARP_REQUESTS)) {
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
    struct frame frame[HOLD_MAX]; /* a copy: the ICMP message may have to wait for this very neighbour */
    uint32_t held = entry->held_count;
    __builtin_memcpy(frame, entry->held, sizeof(frame));
    entry->held_count = 0;
    CORE_WORD(qgm->core, held) -= held;
    for (uint32_t i = 0; i < held; i++) {
        uint32_t in_port = frame[i].bytes[0];
        if (why == DROP_neighbour_unreachable)
            icmp_unreachable(qgm, in_port, frame[i], ICMP_HOST_UNREACHABLE);
        frame_drop(qgm, in_port, frame[i], why);
    }
}

static void look_at_pending(struct qgm *qgm)
{
    for (uint32_t i = 0; i < qgm->pending_count;) {
        struct pending pending = qgm->pending[i];
        struct neighbour *entry = entry_of(qgm, pending.port, pending.neighbour);
        if (qgm->now_tsc - entry->since_tsc < patience(qgm, entry->requests)) {
            i++;
        } else if (entry->requests < ARP_REQUESTS && arp_is_on_link(&qgm->ports[pending.port], entry->address)) {
            ask(qgm, pending.port, entry);
            i++;
        } else {
            qgm->pending[i] = qgm->pending[--qgm->pending_count];
            entry->state = NEIGHBOUR_FAILED;
            entry->since_tsc = qgm->now_tsc;
            drop_held(qgm, entry, DROP_neighbour_unreachable);
        }
    }
}

static void look_at_age(struct qgm *qgm, uint32_t port, struct neighbour *entry)
{
    uint64_t age = qgm->now_tsc - entry->since_tsc;
    bool is_old = age >= qgm->tuning->arp_age_s * qgm->tsc_hz;
    bool may_ask = arp_is_on_link(&qgm->ports[port], entry->address);
    if (entry->state == NEIGHBOUR_FAILED && is_old) {
        entry->state = NEIGHBOUR_FREE;
    } else if (entry->state == NEIGHBOUR_REACHABLE && is_old) {
        entry->requests = 0;
        entry->state = may_ask ? NEIGHBOUR_CONFIRMING : NEIGHBOUR_FREE;
        if (may_ask)
            ask(qgm, port, entry);
    } else if (entry->state == NEIGHBOUR_CONFIRMING && age >= patience(qgm, entry->requests)) {
        if (entry->requests < ARP_REQUESTS && may_ask)
            ask(qgm, port, entry);
        else
            entry->state = NEIGHBOUR_FREE;
    }
}

/* Looks at the next few neighbours of one port, and after the last at those of the next port. */
static void look_at_some(struct qgm *qgm)
{
    uint32_t port = qgm->port_list[qgm->scan.port], end = qgm->scan.set + SETS_PER_TURN;
    struct neighbour_table *table = qgm->ports[port].neighbours;
    if (!keeps(qgm, port))
        qgm->scan.set = end = NEIGHBOUR_SETS;
    for (; qgm->scan.set < end; qgm->scan.set++)
        for (uint32_t way = 0; way < NEIGHBOUR_WAYS; way++)
            if (table->key[qgm->scan.set][way])
                look_at_age(qgm, port, &table->entry[qgm->scan.set * NEIGHBOUR_WAYS + way]);
    if (qgm->scan.set == NEIGHBOUR_SETS) {
        qgm->scan.set = 0;
        qgm->scan.port = (qgm->scan.port + 1) % qgm->port_count;
    }
}

_Static_assert(NEIGHBOUR_SETS % SETS_PER_TURN == 0, "a table ends with a turn");

void arp_announce(struct qgm *qgm, uint32_t port)
{
    qgm->claim[port].announcements = qgm->ports[port].address ? ARP_ANNOUNCEMENTS : 0;
    qgm->claim[port].announced_tsc = qgm->now_tsc - patience(qgm, 1) * ANNOUNCE_INTERVAL;
}

void arp_start(struct qgm *qgm)
{
    qgm->timer_tsc = qgm->now_tsc;
    qgm->scan.port = qgm->scan.set = 0;
    for (uint32_t i = 0; i < qgm->port_count; i++)
        if (keeps(qgm, qgm->port_list[i]))
            arp_announce(qgm, qgm->port_list[i]);
}

void arp_defend(struct qgm *qgm, uint32_t port)
{
    struct claim *claim = &qgm->claim[port];
    bool is_first = !claim->disputed || qgm->now_tsc - claim->disputed_tsc >= DEFEND_INTERVAL_S * qgm->tsc_hz;
    claim->disputed = true;
    claim->disputed_tsc = qgm->now_tsc;
    if (is_first) /* RFC 5227 2.4 (c) */
        arp_request(qgm, port, qgm->ports[port].address, 0);
}

static void look_at_claim(struct qgm *qgm, uint32_t port)
{
    struct claim *claim = &qgm->claim[port];
    if (!claim->announcements || qgm->now_tsc - claim->announced_tsc < patience(qgm, 1) * ANNOUNCE_INTERVAL)
        return;
    claim->announcements--;
    claim->announced_tsc = qgm->now_tsc;
    if (qgm->ports[port].address)
        arp_request(qgm, port, qgm->ports[port].address, 0);
}

void arp_timer(struct qgm *qgm)
{
    qgm->timer_tsc = qgm->now_tsc + qgm->tsc_hz / ARP_TIMER_HZ;
    look_at_pending(qgm);
    look_at_some(qgm);
    for (uint32_t i = 0; i < qgm->port_count; i++)
        if (keeps(qgm, qgm->port_list[i]))
            look_at_claim(qgm, qgm->port_list[i]);
}

void arp_give_up(struct qgm *qgm, enum drop_reason why)
{
    while (qgm->pending_count) {
        struct pending pending = qgm->pending[--qgm->pending_count];
        struct neighbour *entry = entry_of(qgm, pending.port, pending.neighbour);
        entry->state = NEIGHBOUR_FREE;
        drop_held(qgm, entry, why);
    }
}

void arp_flush(struct qgm *qgm)
{
    arp_give_up(qgm, DROP_neighbour_unreachable);
    for (uint32_t i = 0; i < qgm->port_count; i++)
        for (uint32_t n = 0; keeps(qgm, qgm->port_list[i]) && n < NEIGHBOURS; n++) {
            struct neighbour *entry = entry_of(qgm, qgm->port_list[i], n);
            if (entry->state != NEIGHBOUR_STATIC)
                entry->state = NEIGHBOUR_FREE;
        }
}
