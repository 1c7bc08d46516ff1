#include "arp.h"

#include "buffers.h"

#define ARP_SIZE 28
#define ARP_OPERATION 6
#define ARP_SENDER_MAC 8
#define ARP_SENDER 14
#define ARP_TARGET_MAC 18
#define ARP_TARGET 24
#define ARP_REQUEST 1
#define ARP_REPLY 2

static const uint8_t ethernet_ipv4[6] = {0, 1, 0x08, 0x00, 6, 4}; /* hardware and protocol type and lengths */

static void store_mac(uint8_t *to, uint64_t mac)
{
    __builtin_memcpy(to, &mac, 6);
}

bool arp_is_on_link(const struct port *port, uint32_t address)
{
    if (!port->address || address == port->address || ((address ^ port->address) & port->mask))
        return false;
    bool has_broadcast = port->length < 31; /* RFC 3021 */
    return !has_broadcast || ((address & ~port->mask) && (address | port->mask) != 0xffffffff);
}

void arp_request(struct qgm *qgm, uint32_t number, uint32_t address, const uint8_t *mac)
{
    const struct port *port = &qgm->ports[number];
    uint8_t *bytes = (uint8_t *)buffer_take(qgm) + LINK_HEADER;
    uint8_t *arp = bytes + ETHERNET_HEADER;
    __builtin_memset(bytes, 0, ETHERNET_MIN);
    store_mac(bytes, mac ? mac_load(mac) : 0xffffffffffff);
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

static void reply(struct qgm *qgm, uint32_t number, struct frame frame)
{
    const struct port *port = &qgm->ports[number];
    uint8_t *arp = frame.bytes + ETHERNET_HEADER;
    __builtin_memcpy(frame.bytes, arp + ARP_SENDER_MAC, 6);
    store_mac(frame.bytes + 6, port->mac);
    __builtin_memcpy(arp + ARP_TARGET_MAC, arp + ARP_SENDER_MAC, 10);
    store_mac(arp + ARP_SENDER_MAC, port->mac);
    store32(arp + ARP_SENDER, port->address);
    store16(arp + ARP_OPERATION, ARP_REPLY);
    if (frame.size < ETHERNET_MIN) {
        __builtin_memset(frame.bytes + frame.size, 0, ETHERNET_MIN - frame.size); /* what lies there is not theirs to see */
        frame.size = ETHERNET_MIN;
    }
    port_stage(qgm, number, frame);
}

/* Whether this is a message of RFC 826 for Ethernet and IPv4 that somebody else can have sent. */
static bool is_valid(const struct port *port, const uint8_t *arp)
{
    uint16_t operation = load16(arp + ARP_OPERATION);
    uint64_t mac = mac_load(arp + ARP_SENDER_MAC);
    return !__builtin_memcmp(arp, ethernet_ipv4, sizeof(ethernet_ipv4)) &&
           (operation == ARP_REQUEST || operation == ARP_REPLY) && !mac_is_group(arp + ARP_SENDER_MAC) && mac &&
           mac != port->mac;
}

/* Learns the sender's address, if it has spoken to us or we know of it already. */
static void learn(struct qgm *qgm, uint32_t number, const uint8_t *arp, bool to_us)
{
    const struct port *port = &qgm->ports[number];
    uint32_t sender = load32(arp + ARP_SENDER);
    if (!arp_is_on_link(port, sender))
        return;
    uint32_t neighbour = to_us ? neighbour_find_or_add(port->neighbours, sender) : neighbour_find(port->neighbours, sender);
    if (neighbour == NEIGHBOUR_NONE)
        return;
    const struct neighbour *entry = &port->neighbours->entry[neighbour];
    bool known = to_us || entry->state != NEIGHBOUR_FREE || entry->tracked;
    if (known && entry->state != NEIGHBOUR_STATIC)
        arp_resolve(qgm, number, neighbour, arp + ARP_SENDER_MAC, NEIGHBOUR_REACHABLE);
}

void arp_input(struct qgm *qgm, uint32_t number, struct frame frame)
{
    const struct port *port = &qgm->ports[number];
    const uint8_t *arp = frame.bytes + ETHERNET_HEADER;
    if (frame.size < ETHERNET_HEADER + ARP_SIZE) {
        frame_drop(qgm, number, frame, DROP_runt);
        return;
    }
    if (!is_valid(port, arp)) {
        frame_drop(qgm, number, frame, DROP_arp_invalid);
        return;
    }
    uint32_t sender = load32(arp + ARP_SENDER), target = load32(arp + ARP_TARGET);
    bool is_announcement = sender && sender == target; /* RFC 5227 2.3 */
    bool to_us = port->address && target == port->address;
    if (port->address && sender == port->address) {
        arp_defend(qgm, number);
        frame_drop(qgm, number, frame, DROP_arp_conflict);
        return;
    }
    learn(qgm, number, arp, to_us);
    if (to_us && load16(arp + ARP_OPERATION) == ARP_REQUEST) {
        reply(qgm, number, frame);
    } else if (to_us || is_announcement) {
        CORE_WORD(qgm->core, consumed)++;
        buffer_free(qgm, (uint64_t)(frame.bytes - LINK_HEADER));
    } else {
        frame_drop(qgm, number, frame, DROP_arp_not_for_us);
    }
}
