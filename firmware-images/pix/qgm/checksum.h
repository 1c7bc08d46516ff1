/*
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624). Sums are over 16-bit words as they lie in
 * memory: the ones' complement sum does not care for byte order (RFC 1071, 2 (B)), so nothing is swapped.
 */
#ifndef PIX_CHECKSUM_H
#define PIX_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t checksum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    uint32_t half = (uint32_t)(sum & 0xffff) + (uint32_t)(sum >> 16);
    return (uint16_t)((half & 0xffff) + (half >> 16));
}

/* Unfolded sum of size bytes (up to 64 KiB); an odd last byte counts as if a zero followed. */
static inline uint64_t checksum_add(const uint8_t *from, size_t size)
{
    uint64_t sum = 0;
#pragma GCC unroll 5 /* the words of a header without options, whose size the compiler then knows */
    for (; size >= 4; from += 4, size -= 4) {
        uint32_t word;
        __builtin_memcpy(&word, from, 4);
        sum += word;
    }
    uint32_t rest = 0;
    __builtin_memcpy(&rest, from, size & 2);
    if (size & 1)
        rest |= (uint32_t)from[size & 2] << 8 * (size & 2);
    return sum + rest;
}

/* The checksum field for these bytes, or 0 if they contain a right one; as it lies in memory. */
static inline uint16_t checksum(const uint8_t *from, size_t size)
{
    return (uint16_t)~checksum_fold(checksum_add(from, size));
}

/* Writes the checksum of size bytes from `from` into the field, which lies within them. */
static inline void checksum_store(uint8_t *field, const uint8_t *from, size_t size)
{
    __builtin_memset(field, 0, 2);
    uint16_t value = checksum(from, size);
    __builtin_memcpy(field, &value, 2);
}

/* The field after one 16-bit word has changed: HC' = ~(~HC + ~m + m'), RFC 1624 equation 3. */
static inline uint16_t checksum_update(uint16_t field, uint16_t before, uint16_t after)
{
    uint32_t sum = (uint32_t)(uint16_t)~field + (uint16_t)~before + after;
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

#endif
