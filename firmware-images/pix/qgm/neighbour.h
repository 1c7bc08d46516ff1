/*
 * Neighbours of a port: who has which link-layer address (RFC 826), and the frames that wait for an answer.
 *
 * The table of a port is set-associative, so nothing ever moves: a next hop may keep the number of its neighbour.
 * Invariants:
 *  - only the QGM that owns the port writes; `state` is written last when a neighbour becomes usable;
 *  - a tracked neighbour (some next hop has its number) and a static one are never replaced;
 *  - exactly the incomplete neighbours are in their QGM's list of pending ones, and only they hold frames.
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
    NEIGHBOUR_REACHABLE,  /* from here on `link` is right */
    NEIGHBOUR_STATIC,
};

struct neighbour {
    uint8_t link[12]; /* the first 12 bytes of a frame to it: its address, ours */
    uint32_t address;
    uint8_t state; /* enum neighbour_state */
    uint8_t tracked;
    uint8_t held_count;
    uint8_t requests; /* sent since it became incomplete */
    uint64_t deadline_tsc;
    struct frame held[HOLD_MAX];
} __attribute__((aligned(32)));

struct neighbour_table {
    uint32_t key[NEIGHBOUR_SETS][NEIGHBOUR_WAYS]; /* address, 0 where free */
    struct neighbour entry[NEIGHBOURS];
};

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

#endif
