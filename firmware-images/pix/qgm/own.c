#include "own.h"

#include "qgm.h"

_Static_assert(OWN_FILTER_WORDS * 64 == 1 << (32 - 20), "the hash gives the number of a bit");

void own_set(struct own_addresses *own, const struct port *ports, uint32_t count)
{
    uint64_t filter[OWN_FILTER_WORDS] = {0};
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct port *port = &ports[i];
        if (!port->address)
            continue;
        own->address[total++] = port->address;
        if (port->length < 31) { /* RFC 3021: a /31 has no broadcast addresses */
            own->address[total++] = port->address & port->mask;
            own->address[total++] = port->address | ~port->mask;
        }
    }
    for (uint32_t i = 0; i < total; i++)
        filter[own_hash(own->address[i]) / 64] |= 1ull << own_hash(own->address[i]) % 64;
    __atomic_store_n(&own->count, total, __ATOMIC_RELEASE);
    for (uint32_t word = 0; word < OWN_FILTER_WORDS; word++)
        __atomic_store_n(&own->filter[word], filter[word], __ATOMIC_RELEASE);
}
