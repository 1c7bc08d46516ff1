#include "fib.h"

#define GROUP_SIZE 256u

static void set16(uint16_t *entry, uint16_t value)
{
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

void fib_init(struct fib *fib)
{
    __builtin_memset(fib->table24, 0, FIB_ENTRIES * sizeof(*fib->table24));
    __builtin_memset(fib->depth24, 0, FIB_ENTRIES);
    fib->default_hop = 0;
    fib->free_count = 0;
    fib->retired_count = 0;
    fib->next_group = 0;
}

/* Overwrites what shorter or equally long prefixes have put into count entries. */
static void fill(uint16_t *hops, uint8_t *depths, uint32_t count, uint8_t length, uint16_t hop)
{
    for (uint32_t i = 0; i < count; i++)
        if (depths[i] <= length) {
            set16(&hops[i], hop);
            depths[i] = length;
        }
}

/* Gives count entries of this very length back to the parent. */
static void restore(uint16_t *hops, uint8_t *depths, uint32_t count, uint8_t length, uint8_t parent_length, uint16_t hop)
{
    for (uint32_t i = 0; i < count; i++)
        if (depths[i] == length) {
            set16(&hops[i], hop);
            depths[i] = parent_length;
        }
}

/* Makes the retired groups free. */
static void reclaim(struct fib *fib)
{
    if (fib->quiesce)
        fib->quiesce();
    while (fib->retired_count)
        fib->free_groups[fib->free_count++] = fib->free_groups[FIB_GROUPS - fib->retired_count--];
}

static int take_group(struct fib *fib, uint32_t *group)
{
    if (!fib->free_count && fib->retired_count)
        reclaim(fib);
    if (fib->free_count)
        *group = fib->free_groups[--fib->free_count];
    else if (fib->next_group < FIB_GROUPS)
        *group = fib->next_group++;
    else
        return -1;
    return 0;
}

/* Splits the /24 at index, if it is not split already, and returns its group. */
static int split(struct fib *fib, uint32_t index, uint32_t *group)
{
    uint16_t entry = fib->table24[index];
    if (entry & FIB_GROUP) {
        *group = entry & ~FIB_GROUP;
        return 0;
    }
    if (take_group(fib, group))
        return -1;
    for (uint32_t i = 0; i < GROUP_SIZE; i++) {
        fib->table8[*group * GROUP_SIZE + i] = entry;
        fib->depth8[*group * GROUP_SIZE + i] = fib->depth24[index];
    }
    set16(&fib->table24[index], (uint16_t)(FIB_GROUP | *group));
    return 0;
}

/* Joins a /24 whose group holds nothing longer than 24 bits any more. */
static void join(struct fib *fib, uint32_t index)
{
    uint32_t group = fib->table24[index] & ~FIB_GROUP;
    const uint8_t *depths = &fib->depth8[group * GROUP_SIZE];
    for (uint32_t i = 0; i < GROUP_SIZE; i++)
        if (depths[i] > 24)
            return;
    fib->depth24[index] = depths[0];
    set16(&fib->table24[index], fib->table8[group * GROUP_SIZE]);
    fib->free_groups[FIB_GROUPS - ++fib->retired_count] = (uint16_t)group;
}

int fib_add(struct fib *fib, uint32_t prefix, unsigned length, uint16_t hop)
{
    uint32_t index = prefix >> 8, group;
    if (length == 0) {
        set16(&fib->default_hop, hop);
        return 0;
    }
    if (length > 24) {
        if (split(fib, index, &group))
            return -1;
        uint32_t first = group * GROUP_SIZE + (prefix & 255);
        fill(&fib->table8[first], &fib->depth8[first], 1u << (32 - length), (uint8_t)length, hop);
        return 0;
    }
    for (uint32_t end = index + (1u << (24 - length)); index < end; index++) {
        uint16_t entry = fib->table24[index];
        if (entry & FIB_GROUP) {
            uint32_t first = (entry & ~FIB_GROUP) * GROUP_SIZE;
            fill(&fib->table8[first], &fib->depth8[first], GROUP_SIZE, (uint8_t)length, hop);
        } else {
            fill(&fib->table24[index], &fib->depth24[index], 1, (uint8_t)length, hop);
        }
    }
    return 0;
}

void fib_remove(struct fib *fib, uint32_t prefix, unsigned length, unsigned parent_length, uint16_t parent_hop)
{
    uint32_t index = prefix >> 8;
    uint8_t depth = (uint8_t)length, parent = (uint8_t)parent_length;
    if (length == 0) {
        set16(&fib->default_hop, 0);
        return;
    }
    if (length > 24) {
        uint32_t group = fib->table24[index] & ~FIB_GROUP;
        uint32_t first = group * GROUP_SIZE + (prefix & 255);
        restore(&fib->table8[first], &fib->depth8[first], 1u << (32 - length), depth, parent, parent_hop);
        join(fib, index);
        return;
    }
    for (uint32_t end = index + (1u << (24 - length)); index < end; index++) {
        uint16_t entry = fib->table24[index];
        if (entry & FIB_GROUP) {
            uint32_t first = (entry & ~FIB_GROUP) * GROUP_SIZE;
            restore(&fib->table8[first], &fib->depth8[first], GROUP_SIZE, depth, parent, parent_hop);
        } else {
            restore(&fib->table24[index], &fib->depth24[index], 1, depth, parent, parent_hop);
        }
    }
}
