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
	uint32_t place = checksum_place(protocol);
	if (length < place + 2)
		length = place + 2; /* a wrong length: the checksum itself is in the frame, as the caller has seen */
	uint64_t sum = rte_cpu_to_be_16((uint16_t)length) + (uint64_t)rte_cpu_to_be_16(protocol);
	sum = v6 ? add_words(sum, ip + IPV6_ADDRESSES, IPV6_ADDRESSES_BYTES)
		 : add_words(sum, ip + IPV4_ADDRESSES, IPV4_ADDRESSES_BYTES);
	uint16_t checksum = (uint16_t)~checksum_folded(add_words(sum, transport, length) - checksum_part(transport, place));
	if (checksum == 0 && protocol == IPPROTO_UDP)
		checksum = 0xffff; /* 0 would say that there is none */
	memcpy(transport + place, &checksum, 2);
}
