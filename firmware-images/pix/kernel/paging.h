/* Page tables: identity mapped, shared by all cores, changed only before the other cores run. */
#ifndef PIX_PAGING_H
#define PIX_PAGING_H

#include <stdint.h>

#define PAGE_PRESENT 0x001ull
#define PAGE_WRITE 0x002ull
#define PAGE_USER 0x004ull
#define PAGE_UNCACHED 0x018ull /* PWT, PCD */
#define PAGE_LARGE 0x080ull
#define PAGE_NO_EXECUTE (1ull << 63)

/*
 * Maps [start, start + size) with these flags, by 2 MiB pages where the range covers them and 4 KiB ones elsewhere.
 * Flags without PAGE_PRESENT unmap. Returns -1 when the pages for tables are used up.
 */
int paging_map(uint64_t start, uint64_t size, uint64_t flags);

/* Takes over the map of boot/start.S and gives each part of memory its rights; ring 3 has all from the tables to memory_end. */
void paging_init(uint64_t memory_end);

#endif
