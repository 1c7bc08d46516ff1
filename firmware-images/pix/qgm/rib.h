/*
 * Routing information base: every route as it was configured, found by prefix and length. The control plane alone uses
 * it, to list routes and to find what a removed route uncovers in the FIB.
 */
#ifndef PIX_RIB_H
#define PIX_RIB_H

#include <stdbool.h>
#include <stdint.h>

#define RIB_SLOTS (1u << 21) /* open addressing: a power of two */
#define RIB_ROUTES (RIB_SLOTS / 4 * 3)

enum route_kind { ROUTE_NONE, ROUTE_CONNECTED, ROUTE_LOCAL, ROUTE_BROADCAST, ROUTE_STATIC };

struct route {
    uint32_t prefix; /* host byte order */
    uint16_t hop;    /* number of the next hop */
    uint8_t length;
    uint8_t kind; /* enum route_kind; ROUTE_NONE marks a free slot */
};

struct rib {
    uint32_t count;         /* at most RIB_ROUTES */
    uint32_t of_length[33]; /* how many of them have this length: a search passes over lengths that nobody uses */
    struct route *slots;    /* RIB_SLOTS */
};

/* The addresses under a prefix of this length (0 to 32) share the bits of this mask. */
static inline uint32_t prefix_mask(unsigned length)
{
    return length ? ~0u << (32 - length) : 0;
}

void rib_init(struct rib *rib);
/* The route of exactly this prefix, or a null pointer. */
struct route *rib_find(const struct rib *rib, uint32_t prefix, unsigned length);
/* The longest shorter route that covers this prefix, default route not counted; a null pointer if there is none. */
struct route *rib_parent(const struct rib *rib, uint32_t prefix, unsigned length);
/* The longest route that covers an address, default route included; a null pointer if there is none. */
struct route *rib_match(const struct rib *rib, uint32_t address);
/* Adds a route that is not there yet. Returns false if the table is full. */
bool rib_add(struct rib *rib, struct route route);
/* Removes a route that rib_find gave; others may move. */
void rib_remove(struct rib *rib, struct route *route);

#endif
