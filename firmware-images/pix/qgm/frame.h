/* Ethernet frames, IPv4, ARP and ICMP: offsets, numbers, and the check of a received IPv4 header. */
#ifndef PIX_FRAME_H
#define PIX_FRAME_H

#include <stdbool.h>
#include "bytes.h"
#include "checksum.h"
#include "drops.h"

#define ETHERNET_HEADER 14
#define ETHERNET_TYPE 12
#define ETHERNET_MIN 60 /* without FCS */
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806

#define IPV4_HEADER 20
#define IPV4_FIRST_BYTE 0x45 /* version 4, a header without options */
#define IPV4_TOS 1
#define IPV4_TOTAL_LENGTH 2
#define IPV4_ID 4
#define IPV4_FRAGMENT 6
#define IPV4_TTL 8
#define IPV4_PROTOCOL 9
#define IPV4_CHECKSUM 10
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV4_DONT_FRAGMENT 0x4000
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET_MASK 0x1fff
#define PROTOCOL_ICMP 1
#define PROTOCOL_UDP 17

/* A frame in a buffer; `bytes` is where the Ethernet header begins. */
struct frame {
    uint8_t *bytes;
    uint32_t size; /* without FCS */
};

/* The first six bytes of an address field as a number that compares. */
static inline uint64_t mac_load(const uint8_t *from)
{
    uint64_t value;
    __builtin_memcpy(&value, from, 8);
    return value & 0xffffffffffffull;
}

static inline bool mac_is_group(const uint8_t *mac)
{
    return mac[0] & 1;
}

/* The checks of RFC 1812 5.2.2 on a header of which `available` bytes (at least 20) came over the link. */
static inline enum drop_reason ipv4_check(const uint8_t *ip, uint32_t available)
{
    uint32_t header = (ip[0] & 15u) * 4;
    uint32_t total = load16(ip + IPV4_TOTAL_LENGTH);
    if (ip[0] >> 4 != 4)
        return DROP_ip_version;
    if (header < IPV4_HEADER)
        return DROP_ip_header_length;
    if (total < header || total > available)
        return DROP_ip_total_length;
    /* Without options the sum is a few adds in a row: the loop kept the lines of later frames from being asked for. */
    if (__builtin_expect(header == IPV4_HEADER, 1) ? checksum(ip, IPV4_HEADER) : checksum(ip, header))
        return DROP_ip_checksum;
    return DROP_NONE;
}

/* Whether an address is no unicast address of a network: 0/8, 127/8, multicast and above (RFC 1812 5.3.7). */
static inline bool ipv4_is_special(uint32_t address)
{
    uint32_t net = address >> 24;
    return net == 0 || net == 127 || net >= 224;
}

/* Takes one from the TTL (which is at least 1) and updates the checksum. */
static inline void ipv4_decrement_ttl(uint8_t *ip)
{
    uint16_t before, after, field;
    __builtin_memcpy(&before, ip + IPV4_TTL, 2);
    after = (uint16_t)(before - 1); /* the TTL is the first byte of the word: its low one */
    __builtin_memcpy(ip + IPV4_TTL, &after, 2);
    __builtin_memcpy(&field, ip + IPV4_CHECKSUM, 2);
    field = checksum_update(field, before, after);
    __builtin_memcpy(ip + IPV4_CHECKSUM, &field, 2);
}

#endif
