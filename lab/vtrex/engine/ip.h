/* Where the IP header of a frame stands, behind up to two VLAN tags, and the mark of its flow in it.
 *
 * A flow is told by the 16 bits that TRex writes into the IPv4 identification or into the lower bits of the IPv6 flow
 * label, whose upper four bits are then 0.
 */
#ifndef VTREX_IP_H
#define VTREX_IP_H

#include <stdint.h>
#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ether.h>

#define IPV4_BYTES 20u /* the shortest header */
#define IPV6_BYTES 40u
#define NO_MARK 0u /* no flow has it */

struct ip_place {
	uint16_t offset;  /* of the header */
	uint16_t version; /* 4, 6, or 0: the frame is not IP or shorter than its header */
};

static inline uint16_t ip_word(const uint8_t *bytes)
{
	return rte_be_to_cpu_16(*(const unaligned_uint16_t *)bytes);
}

static inline struct ip_place ip_find(const uint8_t *bytes, uint32_t length)
{
	uint32_t at = RTE_ETHER_HDR_LEN;
	if (unlikely(length < RTE_ETHER_HDR_LEN + IPV4_BYTES))
		return (struct ip_place){0, 0};
	uint16_t type = ip_word(bytes + 12);
	while (unlikely(type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ) &&
	       at < RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN) {
		type = ip_word(bytes + at + 2);
		at += RTE_VLAN_HLEN;
	}
	if (likely(type == RTE_ETHER_TYPE_IPV4) && length >= at + IPV4_BYTES)
		return (struct ip_place){(uint16_t)at, 4};
	if (type == RTE_ETHER_TYPE_IPV6 && length >= at + IPV6_BYTES)
		return (struct ip_place){(uint16_t)at, 6};
	return (struct ip_place){0, 0};
}

static inline uint16_t ip_mark(const uint8_t *bytes, struct ip_place ip)
{
	if (likely(ip.version == 4))
		return ip_word(bytes + ip.offset + 4);
	return ip.version == 0 || (bytes[ip.offset + 1] & 15) != 0 ? NO_MARK : ip_word(bytes + ip.offset + 2);
}

#endif
