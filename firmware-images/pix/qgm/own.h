/*
 * The addresses that no packet from elsewhere may bear as its source (RFC 1812 4.2.2.11, 5.3.7): our own, and the
 * broadcast addresses of our networks, whose host part is all ones or all zeros.
 *
 * Invariant, for one writer and readers that never wait: an address is in the list before its bit is in the filter. A
 * packet that comes during a change may pass; none is refused that is in neither the old list nor the new one.
 */
#ifndef PIX_OWN_H
#define PIX_OWN_H

#include <stdbool.h>
#include <stdint.h>
#include "capacity.h"

#define OWN_FILTER_WORDS 64
#define OWN_MAX (MAX_PORTS * 3)

struct port;

struct own_addresses {
    uint64_t filter[OWN_FILTER_WORDS]; /* one bit for each value of own_hash(): most sources need no further look */
    uint32_t count;
    uint32_t address[OWN_MAX];
};

static inline uint32_t own_hash(uint32_t address)
{
    return (address * 0x9e3779b1u) >> 20;
}

static inline bool own_contains(const struct own_addresses *own, uint32_t address)
{
    uint32_t hash = own_hash(address);
    if (__builtin_expect(!(own->filter[hash / 64] >> hash % 64 & 1), 1))
        return false;
    for (uint32_t i = 0; i < own->count; i++)
        if (own->address[i] == address)
            return true;
    return false;
}

/* Makes the list anew from the addresses of these ports. */
void own_set(struct own_addresses *own, const struct port *ports, uint32_t count);

#endif
