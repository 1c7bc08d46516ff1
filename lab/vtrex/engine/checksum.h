/* Internet checksums (RFC 1071) of headers that stand in a frame. */
#ifndef VTREX_CHECKSUM_H
#define VTREX_CHECKSUM_H

#include <stdint.h>
#include <string.h>
#include <rte_common.h>

#define IPV4_CHECKSUM 10

/* The 16-bit sum of what `sum` is a sum of, in ones' complement. */
static inline uint16_t checksum_folded(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* What the old checksum, at an offset that is a multiple of 2, adds to a sum of 32-bit words. It is taken off rather than
 * set to zero before: a wider read of what was just written has to wait until that has left the store buffer.
 */
static inline uint64_t checksum_part(const uint8_t *from, uint32_t offset)
{
	uint16_t half;
	memcpy(&half, from + offset, 2);
	return (uint64_t)half << (8 * (offset % 4));
}

/* Write the checksum of the IPv4 header of `bytes` (a multiple of 4, at least 20) at `ip`. */
static __rte_always_inline void checksum_ipv4(uint8_t *ip, uint32_t bytes)
{
	uint64_t sum = 0;
	for (uint32_t at = 0; at < bytes; at += 4) {
		uint32_t word;
		memcpy(&word, ip + at, 4);
		__asm__("" : "+r"(word)); /* one word at a time: the addresses may just have been written, each by itself */
		sum += word;
	}
	uint16_t checksum = (uint16_t)~checksum_folded(sum - checksum_part(ip, IPV4_CHECKSUM));
	memcpy(ip + IPV4_CHECKSUM, &checksum, 2);
}

/* Write the checksum of the transport header `transport - ip` bytes behind the IPv4 or IPv6 header at `ip`. It covers the
 * pseudo header (RFC 768, RFC 9293, RFC 8200 section 8.1) and as much as the IP header says, but nothing behind `end`.
 * `protocol` is UDP, TCP or ICMPv6.
 */
void checksum_transport(const uint8_t *ip, uint8_t *transport, const uint8_t *end, uint8_t protocol);

#endif
