/* From UEFI's memory map to the one that the kernel reads. */
#ifndef PIX_EFI_MEMORY_H
#define PIX_EFI_MEMORY_H

#include "e820.h"

/*
 * Writes what is left of a memory map once the boot services have ended (UEFI 2.10, 7.2.3: boot services' and loaders'
 * memory is free then), by rising address, neighbours of one type as one; returns how many entries. Where `max` do not
 * suffice the highest ones are missing: nobody uses memory that is not listed. Memory that is described twice is not
 * usable unless both say so. `size` and `descriptor_size` in bytes, `descriptor_size` a multiple of 8.
 */
uint32_t efi_memory_to_e820(const void *map, uint64_t size, uint64_t descriptor_size, struct e820_entry *entries, uint32_t max);

#endif
