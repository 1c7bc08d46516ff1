/* FIB and RIB with memory of their own, as functions that Python can call: fib.h, rib.h. */
#include <stdlib.h>

#include "fib.h"
#include "rib.h"

struct fib *host_fib_new(void);
void host_fib_free(struct fib *fib);
uint16_t host_fib_lookup(const struct fib *fib, uint32_t address);
uint32_t host_fib_groups_in_use(const struct fib *fib);
void host_fib_on_quiesce(struct fib *fib, void (*quiesce)(void));
struct rib *host_rib_new(void);
void host_rib_free(struct rib *rib);
uint32_t host_routes_load(struct fib *fib, struct rib *rib, const struct route *routes, uint32_t count);
void host_routes_remove(struct fib *fib, struct rib *rib, const struct route *routes, uint32_t count);

struct fib *host_fib_new(void)
{
    struct fib *fib = calloc(1, sizeof(*fib));
    fib->table24 = malloc(FIB_ENTRIES * sizeof(*fib->table24));
    fib->table8 = malloc(FIB_GROUPS * 256 * sizeof(*fib->table8));
    fib->depth24 = malloc(FIB_ENTRIES);
    fib->depth8 = malloc(FIB_GROUPS * 256);
    fib->free_groups = malloc(FIB_GROUPS * sizeof(*fib->free_groups));
    fib_init(fib);
    return fib;
}

void host_fib_free(struct fib *fib)
{
    free(fib->table24);
    free(fib->table8);
    free(fib->depth24);
    free(fib->depth8);
    free(fib->free_groups);
    free(fib);
}

uint16_t host_fib_lookup(const struct fib *fib, uint32_t address)
{
    return fib_lookup(fib, address);
}

uint32_t host_fib_groups_in_use(const struct fib *fib)
{
    return fib->next_group - fib->free_count - fib->retired_count;
}

void host_fib_on_quiesce(struct fib *fib, void (*quiesce)(void))
{
    fib->quiesce = quiesce;
}

struct rib *host_rib_new(void)
{
    struct rib *rib = calloc(1, sizeof(*rib));
    rib->slots = malloc(RIB_SLOTS * sizeof(*rib->slots));
    rib_init(rib);
    return rib;
}

void host_rib_free(struct rib *rib)
{
    free(rib->slots);
    free(rib);
}

/* Adds routes to both tables as shell/routes.c does; returns how many there was room for. */
uint32_t host_routes_load(struct fib *fib, struct rib *rib, const struct route *routes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!rib_add(rib, routes[i]) || fib_add(fib, routes[i].prefix, routes[i].length, routes[i].hop))
            return i;
    return count;
}

void host_routes_remove(struct fib *fib, struct rib *rib, const struct route *routes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct route *parent = rib_parent(rib, routes[i].prefix, routes[i].length);
        fib_remove(fib, routes[i].prefix, routes[i].length, parent ? parent->length : 0, parent ? parent->hop : 0);
        rib_remove(rib, rib_find(rib, routes[i].prefix, routes[i].length));
    }
}
