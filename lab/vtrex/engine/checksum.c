#include "checksum.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <rte_byteorder.h>

#define IPV4_ADDRESSES 12 /* offsets and lengths of source and destination together */
#define IPV4_ADDRESSES_BYTES 8
#define IPV6_ADDRESSES 8
#define IPV6_ADDRESSES_BYTES 32
#define IPV6_HEADER 40

/* The sum of the 16-bit words as they stand in memory; the sum does not depend on the byte order (RFC 1071, 2B). */
static uint64_t add_words(uint64_t sum, const uint8_t *from, uint32_t bytes)
{
	uint32_t word;
	uint16_t half = 0;
	for (; bytes >= 4; from += 4, bytes -= 4) {
		memcpy(&word, from, 4);
		sum += word;
	}
	if (bytes >= 2) {
		memcpy(&half, from, 2);
		sum += half;
		from += 2;
		bytes -= 2;
	}
	if (bytes != 0) {
		half = 0;
		memcpy(&half, from, 1);
		sum += half;
	}
	return sum;
}

static uint16_t folded(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

void checksum_ipv4(uint8_t *ip, uint32_t bytes)
{
	ip[10] = ip[11] = 0;
	uint16_t checksum = (uint16_t)~folded(add_words(0, ip, bytes));
	memcpy(ip + 10, &checksum, 2);
}

static uint32_t checksum_place(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? 6 : protocol == IPPROTO_TCP ? 16 : 2;
}

void checksum_transport(const uint8_t *ip, uint8_t *transport, const uint8_t *end, uint8_t protocol)
{
	bool v6 = ip[0] >> 4 == 6 && transport - ip >= IPV6_HEADER;
	uint32_t headers = (uint32_t)(transport - ip), room = (uint32_t)(end - transport);
	uint32_t said = v6 ? (uint32_t)(ip[4] << 8 | ip[5]) + IPV6_HEADER : (uint32_t)(ip[2] << 8 | ip[3]);
	uint32_t length = said < headers || said - headers > room ? room : said - headers;
	memset(transport + checksum_place(protocol), 0, 2);
	uint64_t sum = rte_cpu_to_be_16((uint16_t)length) + (uint64_t)rte_cpu_to_be_16(protocol);
	sum = v6 ? add_words(sum, ip + IPV6_ADDRESSES, IPV6_ADDRESSES_BYTES)
		 : add_words(sum, ip + IPV4_ADDRESSES, IPV4_ADDRESSES_BYTES);
	uint16_t checksum = (uint16_t)~folded(add_words(sum, transport, length));
	if (checksum == 0 && protocol == IPPROTO_UDP)
		checksum = 0xffff; /* 0 would say that there is none */
	memcpy(transport + checksum_place(protocol), &checksum, 2);
}
