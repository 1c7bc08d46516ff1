#include "memory.h"

#include "efi.h"

static uint32_t e820_type(uint32_t type)
{
    switch (type) {
    case EFI_LOADER_CODE:
    case EFI_LOADER_DATA:
    case EFI_BOOT_SERVICES_CODE:
    case EFI_BOOT_SERVICES_DATA:
    case EFI_CONVENTIONAL_MEMORY:
        return E820_USABLE;
    case EFI_ACPI_RECLAIM_MEMORY:
        return E820_ACPI_RECLAIM;
    case EFI_ACPI_MEMORY_NVS:
        return E820_ACPI_NVS;
    case EFI_UNUSABLE_MEMORY:
        return E820_UNUSABLE;
    default: /* of the firmware, of devices, or of a kind that is not known yet */
        return E820_RESERVED;
    }
}

static uint64_t end_of(const struct efi_memory_descriptor *descriptor)
{
    uint64_t start = descriptor->physical_start, pages = descriptor->number_of_pages;
    uint64_t most = (UINT64_MAX - start) / EFI_PAGE_SIZE;
    return start + (pages < most ? pages : most) * EFI_PAGE_SIZE;
}

/*
 * What memory at `start` is: the type of the descriptors that have it, of the least usable one if there are several;
 * 0 if none has it. Lowers *until to where the answer may change.
 */
static uint32_t type_at(const uint8_t *map, uint64_t size, uint64_t descriptor_size, uint64_t start, uint64_t *until)
{
    uint32_t found = 0;
    for (uint64_t at = 0; at + descriptor_size <= size; at += descriptor_size) {
        const struct efi_memory_descriptor *descriptor = (const void *)(map + at);
        uint64_t from = descriptor->physical_start, end = end_of(descriptor);
        if (from > start && from < *until && end > from)
            *until = from;
        if (from > start || end <= start)
            continue;
        if (end < *until)
            *until = end;
        uint32_t type = e820_type(descriptor->type);
        if (!found || found == E820_USABLE)
            found = type;
    }
    return found;
}

uint32_t efi_memory_to_e820(const void *map, uint64_t size, uint64_t descriptor_size, struct e820_entry *entries, uint32_t max)
{
    uint32_t count = 0;
    uint64_t until;
    for (uint64_t start = 0; start != UINT64_MAX; start = until) {
        until = UINT64_MAX;
        uint32_t type = type_at(map, size, descriptor_size, start, &until);
        if (!type)
            continue;
        struct e820_entry *last = count ? &entries[count - 1] : 0;
        if (last && last->type == type && last->base + last->length == start) {
            last->length += until - start;
            continue;
        }
        if (count == max)
            break;
        entries[count++] = (struct e820_entry){.base = start, .length = until - start, .type = type, .attributes = 1};
    }
    return count;
}
