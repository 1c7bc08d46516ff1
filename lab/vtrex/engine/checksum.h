/* Internet checksums (RFC 1071) of headers that stand in a frame. */
#ifndef VTREX_CHECKSUM_H
#define VTREX_CHECKSUM_H

#include <stdint.h>

/* Write the checksum of the IPv4 header of `bytes` (a multiple of 4, at least 20) at `ip`. */
void checksum_ipv4(uint8_t *ip, uint32_t bytes);

/* Write the checksum of the transport header `transport - ip` bytes behind the IPv4 or IPv6 header at `ip`. It covers the
 * pseudo header (RFC 768, RFC 9293, RFC 8200 section 8.1) and as much as the IP header says, but nothing behind `end`.
 * `protocol` is UDP, TCP or ICMPv6.
 */
void checksum_transport(const uint8_t *ip, uint8_t *transport, const uint8_t *end, uint8_t protocol);

#endif
