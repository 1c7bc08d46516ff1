#include "neighbour.h"

_Static_assert(NEIGHBOUR_SETS == 1 << (32 - 25), "the hash gives the number of a set");

/* The way of a set that can make room: one that is free, or else one that has failed, whose loss costs one request. */
static uint32_t find_room(const struct neighbour_table *table, uint32_t set)
{
    uint32_t room = NEIGHBOUR_WAYS;
    for (uint32_t way = 0; way < NEIGHBOUR_WAYS; way++) {
        const struct neighbour *entry = &table->entry[set * NEIGHBOUR_WAYS + way];
        if (entry->tracked)
            continue;
        if (entry->state == NEIGHBOUR_FREE)
            return way;
        if (entry->state == NEIGHBOUR_FAILED)
            room = way;
    }
    return room;
}

uint32_t neighbour_find_or_add(struct neighbour_table *table, uint32_t address)
{
    uint32_t found = neighbour_find(table, address);
    if (found != NEIGHBOUR_NONE)
        return found;
    uint32_t set = (address * 0x9e3779b1u) >> 25, way = find_room(table, set);
    if (way == NEIGHBOUR_WAYS)
        return NEIGHBOUR_NONE;
    struct neighbour *entry = &table->entry[set * NEIGHBOUR_WAYS + way];
    entry->state = NEIGHBOUR_FREE;
    entry->address = address;
    entry->held_count = 0;
    entry->requests = 0;
    table->key[set][way] = address;
    return set * NEIGHBOUR_WAYS + way;
}

void neighbour_set_link(struct neighbour *entry, const uint8_t *mac, uint64_t port_mac)
{
    entry->link_tail = (uint32_t)(port_mac >> 16);
    __atomic_store_n(&entry->link_head, mac_load(mac) | port_mac << 48, __ATOMIC_RELAXED);
}
