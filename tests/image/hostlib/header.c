/* The inline parts of the headers' arithmetic as functions that Python can call: checksum.h, frame.h. */
#include "frame.h"

uint16_t host_checksum(const uint8_t *from, size_t size);
uint16_t host_checksum_update(uint16_t field, uint16_t before, uint16_t after);
uint32_t host_ipv4_check(const uint8_t *ip, uint32_t available);
void host_ipv4_decrement_ttl(uint8_t *ip);

uint16_t host_checksum(const uint8_t *from, size_t size)
{
    return checksum(from, size);
}

uint16_t host_checksum_update(uint16_t field, uint16_t before, uint16_t after)
{
    return checksum_update(field, before, after);
}

uint32_t host_ipv4_check(const uint8_t *ip, uint32_t available)
{
    return ipv4_check(ip, available);
}

void host_ipv4_decrement_ttl(uint8_t *ip)
{
    ipv4_decrement_ttl(ip);
}
