/* The memory map that a BIOS tells by int 15h, function E820h (ACPI 6.4, 15.1 and table 15-1); UEFI's is turned into it. */
#ifndef PIX_E820_H
#define PIX_E820_H

#include <stdint.h>

enum e820_type { E820_USABLE = 1, E820_RESERVED, E820_ACPI_RECLAIM, E820_ACPI_NVS, E820_UNUSABLE };

struct e820_entry {
    uint64_t base, length;
    uint32_t type, attributes;
};

#endif
