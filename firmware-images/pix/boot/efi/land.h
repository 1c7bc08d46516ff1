/* The parameters of the kernel's start as they lie from BOOT_TSC on, and the way there out of the firmware's mode. */
#ifndef PIX_EFI_LAND_H
#define PIX_EFI_LAND_H

#include <stddef.h>
#include "e820.h"
#include "memory_map.h"

struct boot_parameters {
    uint64_t boot_tsc;
    uint32_t e820_count;
    uint32_t unused0[2]; /* of a PXE ROM */
    uint32_t route_file_size, route_file_status;
    uint32_t file_address, file_size, file_parts;
    uint64_t acpi_root;
    uint8_t boot_mac[6];
    uint8_t unused1[E820_MAP - BOOT_MAC - 6];
    struct e820_entry e820_map[E820_MAX];
};

_Static_assert(BOOT_TSC + offsetof(struct boot_parameters, e820_count) == E820_COUNT, "");
_Static_assert(BOOT_TSC + offsetof(struct boot_parameters, route_file_size) == ROUTE_FILE_SIZE, "");
_Static_assert(BOOT_TSC + offsetof(struct boot_parameters, file_address) == FILE_ADDRESS, "");
_Static_assert(BOOT_TSC + offsetof(struct boot_parameters, file_parts) == FILE_PARTS, "");
_Static_assert(BOOT_TSC + offsetof(struct boot_parameters, acpi_root) == ACPI_ROOT, "");
_Static_assert(BOOT_TSC + offsetof(struct boot_parameters, boot_mac) == BOOT_MAC, "");
_Static_assert(BOOT_TSC + offsetof(struct boot_parameters, e820_map) == E820_MAP, "");
_Static_assert(sizeof(struct e820_entry) == E820_ENTRY_SIZE, "");

/* land.S: `code` is where a copy of it lies, below 4 GiB as its other arguments. */
typedef void (*land_function)(const void *code, const struct boot_parameters *parameters, const void *routes) __attribute__((noreturn));

#endif
