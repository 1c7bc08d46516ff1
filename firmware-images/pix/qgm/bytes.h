/* Numbers in network byte order at any address. */
#ifndef PIX_BYTES_H
#define PIX_BYTES_H

#include <stdint.h>

static inline uint16_t load16(const uint8_t *from)
{
    uint16_t value;
    __builtin_memcpy(&value, from, 2);
    return __builtin_bswap16(value);
}

static inline uint32_t load32(const uint8_t *from)
{
    uint32_t value;
    __builtin_memcpy(&value, from, 4);
    return __builtin_bswap32(value);
}

static inline void store16(uint8_t *to, uint16_t value)
{
    value = __builtin_bswap16(value);
    __builtin_memcpy(to, &value, 2);
}

static inline void store32(uint8_t *to, uint32_t value)
{
    value = __builtin_bswap32(value);
    __builtin_memcpy(to, &value, 4);
}

#endif
