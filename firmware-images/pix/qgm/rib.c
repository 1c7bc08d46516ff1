#include "rib.h"

static uint32_t slot_of(uint32_t prefix, unsigned length)
{
    return ((prefix ^ length * 0x85ebca6bu) * 0x9e3779b1u) >> 11;
}

_Static_assert(RIB_SLOTS == 1u << (32 - 11), "the hash gives the number of a slot");

void rib_init(struct rib *rib)
{
    __builtin_memset(rib->slots, 0, RIB_SLOTS * sizeof(*rib->slots));
    __builtin_memset(rib->of_length, 0, sizeof(rib->of_length));
    rib->count = 0;
}

struct route *rib_find(const struct rib *rib, uint32_t prefix, unsigned length)
{
    for (uint32_t slot = slot_of(prefix, length);; slot = (slot + 1) % RIB_SLOTS) {
        struct route *route = &rib->slots[slot];
        if (route->kind == ROUTE_NONE)
            return 0;
        if (route->prefix == prefix && route->length == length)
            return route;
    }
}

struct route *rib_parent(const struct rib *rib, uint32_t prefix, unsigned length)
{
    while (length > 1) {
        length--;
        struct route *route = rib->of_length[length] ? rib_find(rib, prefix & prefix_mask(length), length) : 0;
        if (route)
            return route;
    }
    return 0;
}

struct route *rib_match(const struct rib *rib, uint32_t address)
{
    struct route *route = rib_parent(rib, address, 33);
    return route ? route : rib_find(rib, 0, 0);
}

bool rib_add(struct rib *rib, struct route route)
{
    if (rib->count >= RIB_ROUTES)
        return false;
    uint32_t slot = slot_of(route.prefix, route.length);
    while (rib->slots[slot].kind != ROUTE_NONE)
        slot = (slot + 1) % RIB_SLOTS;
    rib->slots[slot] = route;
    rib->count++;
    rib->of_length[route.length]++;
    return true;
}

/* Moves later routes of the same run into the gap, so that a search never stops early. */
void rib_remove(struct rib *rib, struct route *route)
{
    uint32_t gap = (uint32_t)(route - rib->slots);
    rib->of_length[route->length]--;
    for (uint32_t slot = (gap + 1) % RIB_SLOTS; rib->slots[slot].kind != ROUTE_NONE; slot = (slot + 1) % RIB_SLOTS) {
        uint32_t home = slot_of(rib->slots[slot].prefix, rib->slots[slot].length);
        if ((slot - home) % RIB_SLOTS < (slot - gap) % RIB_SLOTS)
            continue;
        rib->slots[gap] = rib->slots[slot];
        gap = slot;
    }
    rib->slots[gap].kind = ROUTE_NONE;
    rib->count--;
}
