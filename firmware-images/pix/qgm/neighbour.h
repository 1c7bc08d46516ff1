/*
 * Neighbours of a port: who has which link-layer address (RFC 826), and the frames that wait for an answer.
 *
 * The table of a port is set-associative, so nothing ever moves: a next hop may keep the number of its neighbour.
 * Invariants:
 *  - only the QGM that keeps the port's neighbours writes; `state` is written last when a neighbour becomes usable;
 *  - other QGMs may read at any time. Of the link-layer header only `link_head` ever changes, by one 8-byte store (the
 *    rest is the same for every neighbour of the port), so a reader has the old address or the new one, never a mixture;
 *  - a tracked neighbour (some next hop has its number), a static and a usable one are never replaced;
 *  - exactly the incomplete neighbours are in their QGM's list of pending ones, and only they hold frames;
 *  - every neighbour but a static one that can be used was heard of within the age of tuning.h, or is being asked.
 */
#ifndef PIX_NEIGHBOUR_H
#define PIX_NEIGHBOUR_H

#include "frame.h"
#include "capacity.h"

#define NEIGHBOUR_WAYS 8
#define NEIGHBOUR_SETS 128
#define NEIGHBOURS (NEIGHBOUR_SETS * NEIGHBOUR_WAYS)
#define NEIGHBOUR_NONE 0xffffu

enum neighbour_state {
    NEIGHBOUR_FREE,       /* nothing known; the address may still be set, if tracked */
    NEIGHBOUR_INCOMPLETE, /* asked for */
    NEIGHBOUR_FAILED,     /* asked for in vain; asked again after a while */
    NEIGHBOUR_REACHABLE,  /* from here on the link-layer header is right */
    NEIGHBOUR_CONFIRMING, /* asked by unicast whether it is still there; used meanwhile */
    NEIGHBOUR_STATIC,
};

struct neighbour {
    uint64_t link_head; /* the first 8 bytes of a frame to it: its address, two bytes of ours */
    uint32_t link_tail; /* the next 4: the rest of ours */
    uint32_t address;
    uint8_t state;      /* enum neighbour_state */
    uint8_t tracked;
    uint8_t held_count;
    uint8_t requests;   /* sent since it became incomplete or had to be confirmed */
    uint64_t since_tsc; /* incomplete, confirming: last request; failed: when; reachable: last heard of */
    struct frame held[HOLD_MAX];
} __attribute__((aligned(32)));

struct neighbour_table {
    uint32_t key[NEIGHBOUR_SETS][NEIGHBOUR_WAYS]; /* address, 0 where free */
    struct neighbour entry[NEIGHBOURS];
};

/* Puts the link-layer addresses of a frame to a usable neighbour before it. */
static inline void neighbour_write_link(const struct neighbour *entry, uint8_t *frame)
{
    uint64_t head = __atomic_load_n(&entry->link_head, __ATOMIC_RELAXED);
    __builtin_memcpy(frame, &head, 8);
    __builtin_memcpy(frame + 8, &entry->link_tail, 4);
}

/* Number of the entry of an address, or NEIGHBOUR_NONE. */
static inline uint32_t neighbour_find(const struct neighbour_table *table, uint32_t address)
{
    uint32_t set = (address * 0x9e3779b1u) >> 25;
    for (uint32_t way = 0; way < NEIGHBOUR_WAYS; way++)
        if (table->key[set][way] == address)
            return set * NEIGHBOUR_WAYS + way;
    return NEIGHBOUR_NONE;
}

/* The same, after making an entry in state NEIGHBOUR_FREE if there is none; NEIGHBOUR_NONE if the set is full. */
uint32_t neighbour_find_or_add(struct neighbour_table *table, uint32_t address);

/* The neighbour's link-layer address is `mac`, ours `port_mac` (as mac_load gives it). The caller sets the state then. */
void neighbour_set_link(struct neighbour *entry, const uint8_t *mac, uint64_t port_mac);

#endif
