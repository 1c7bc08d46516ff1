/*
 * Forwarding information base: DIR-24-8 (Gupta, Lin, McKeown, "Routing lookups in hardware at memory access speeds", 1998).
 *
 * table24 has one entry for each /24, table8 groups of 256 for those /24s that longer prefixes split. An entry is 0 (no
 * route but the default one), a next hop (1 to 32767), or FIB_GROUP + a group number. The default route is a word of its
 * own: 0.0.0.0/0 costs one write.
 *
 * Invariants, for one writer and any number of readers that never wait:
 *  - every entry is written by one 16-bit store, and a group is filled before the entry that leads to it is written;
 *  - a group that no entry leads to any more is retired, and used again only after quiesce() has returned since: no
 *    reader still looks at it. One quiesce() serves all that are retired.
 *  - depth24/depth8 hold the prefix length that put an entry there (0: none); readers do not use them.
 */
#ifndef PIX_FIB_H
#define PIX_FIB_H

#include <stdint.h>

#define FIB_GROUP 0x8000u
#define FIB_GROUPS 32768u
#define FIB_NEXT_HOPS 32768u
#define FIB_ENTRIES (1u << 24)

struct fib {
    uint16_t *table24;      /* FIB_ENTRIES */
    uint16_t *table8;       /* FIB_GROUPS * 256 */
    uint16_t default_hop;
    uint8_t *depth24;       /* FIB_ENTRIES */
    uint8_t *depth8;        /* FIB_GROUPS * 256 */
    uint16_t *free_groups;  /* FIB_GROUPS: groups that were used before: free ones from its start, retired ones from its end */
    uint32_t free_count;
    uint32_t retired_count;
    uint32_t next_group;    /* groups from here on were never used */
    void (*quiesce)(void);  /* returns when every reader has looked away since; may be null */
};

/* Next hop of an address in host byte order; 0 if there is none. */
static inline uint16_t fib_lookup(const struct fib *fib, uint32_t address)
{
    uint32_t hop = __atomic_load_n(&fib->table24[address >> 8], __ATOMIC_ACQUIRE);
    if (__builtin_expect(hop & FIB_GROUP, 0))
        hop = fib->table8[(hop & ~FIB_GROUP) << 8 | (address & 255)];
    return (uint16_t)(hop ? hop : fib->default_hop);
}

/* Clears the tables. */
void fib_init(struct fib *fib);

/* Adds a route, or replaces the one of the same prefix. length 0 to 32, hop 1 to 32767. Returns -1 if no group is free. */
int fib_add(struct fib *fib, uint32_t prefix, unsigned length, uint16_t hop);

/* Takes a route away; the next shorter one that covers it is (parent_length, parent_hop), or (0, 0). */
void fib_remove(struct fib *fib, uint32_t prefix, unsigned length, unsigned parent_length, uint16_t parent_hop);

#endif
