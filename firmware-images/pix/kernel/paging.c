#include "paging.h"

#include "boot_info.h"
#include "memory_map.h"

#define ENTRIES 512
#define TABLE_POOL 48
#define ADDRESS_MASK 0x000ffffffffff000ull

typedef uint64_t page_table[ENTRIES];

page_table page_map_level_4 __attribute__((aligned(PAGE_SIZE)));
page_table page_directory_pointers __attribute__((aligned(PAGE_SIZE)));
page_table page_directories[4] __attribute__((aligned(PAGE_SIZE)));
static page_table pool[TABLE_POOL] __attribute__((aligned(PAGE_SIZE)));
static unsigned pool_used;

extern char __kernel_start[], __kernel_text_end[], __kernel_end[];

static uint64_t *take_table(void)
{
    return pool_used < TABLE_POOL ? pool[pool_used++] : 0;
}

/* The table below an entry; a large page is first split into small ones that map the same. */
static uint64_t *descend(uint64_t *entry, int is_directory)
{
    if ((*entry & PAGE_PRESENT) && !(is_directory && (*entry & PAGE_LARGE)))
        return (uint64_t *)(*entry & ADDRESS_MASK);
    uint64_t *table = take_table();
    if (!table)
        return 0;
    if (*entry & PAGE_PRESENT)
        for (unsigned i = 0; i < ENTRIES; i++)
            table[i] = (*entry & ~PAGE_LARGE) + (uint64_t)i * PAGE_SIZE;
    *entry = (uint64_t)table | PAGE_PRESENT | PAGE_WRITE | PAGE_USER;
    return table;
}

int paging_map(uint64_t start, uint64_t size, uint64_t flags)
{
    uint64_t end = start + size;
    for (uint64_t at = start & ~(uint64_t)(PAGE_SIZE - 1); at < end;) {
        uint64_t *pointers = descend(&page_map_level_4[at >> 39 & 511], 0);
        uint64_t *directory = pointers ? descend(&pointers[at >> 30 & 511], 0) : 0;
        if (!directory)
            return -1;
        uint64_t *entry = &directory[at >> 21 & 511];
        if (at % LARGE_PAGE_SIZE == 0 && end - at >= LARGE_PAGE_SIZE) {
            *entry = at | flags | PAGE_LARGE;
            at += LARGE_PAGE_SIZE;
            continue;
        }
        uint64_t *table = descend(entry, 1);
        if (!table)
            return -1;
        table[at >> 12 & 511] = at | flags;
        at += PAGE_SIZE;
    }
    return 0;
}

void paging_init(uint64_t memory_end)
{
    const uint64_t data = PAGE_PRESENT | PAGE_WRITE | PAGE_NO_EXECUTE;
    uint64_t text_end = (uint64_t)__kernel_text_end;
    page_map_level_4[0] |= PAGE_USER;
    for (unsigned i = 0; i < 4; i++)
        page_directory_pointers[i] |= PAGE_USER;
    paging_map(0, PAGE_SIZE, 0); /* a null pointer faults */
    paging_map(KERNEL_BASE, text_end - KERNEL_BASE, PAGE_PRESENT);
    paging_map(text_end, USER_TEXT_BASE - text_end, data);
    paging_map(USER_TEXT_BASE, USER_DATA_BASE - USER_TEXT_BASE, PAGE_PRESENT | PAGE_USER);
    paging_map(USER_DATA_BASE, FILE_COPY_BASE - USER_DATA_BASE, data | PAGE_USER);
    paging_map(FILE_COPY_BASE, TABLES_BASE - FILE_COPY_BASE, PAGE_PRESENT | PAGE_USER | PAGE_NO_EXECUTE);
    paging_map(TABLES_BASE, memory_end - TABLES_BASE, data | PAGE_USER);
    paging_map(boot_info.route_file_address, boot_info.route_file_size, PAGE_PRESENT | PAGE_USER | PAGE_NO_EXECUTE);
    __asm__ volatile("mov %0, %%cr3" : : "r"(page_map_level_4) : "memory");
}
