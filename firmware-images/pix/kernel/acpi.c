#include "acpi.h"

#include "memory_map.h"
#include "string.h"
#include "uart.h"

struct header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char rest[26];
} __attribute__((packed));

struct root_pointer {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
} __attribute__((packed));

enum { MADT_LOCAL_APIC, MADT_IO_APIC, MADT_OVERRIDE, MADT_APIC_ADDRESS = 5 };

static int sums_to_zero(const void *from, uint32_t size)
{
    const uint8_t *bytes = from;
    uint8_t sum = 0;
    for (uint32_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

static uint16_t read16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static uint32_t read32(const uint8_t *from)
{
    return read16(from) | (uint32_t)read16(from + 2) << 16;
}

static const struct root_pointer *find_root_in(uint64_t start, uint64_t end)
{
    for (uint64_t at = start; at + 20 <= end; at += 16)
        if (!memcmp((const void *)at, "RSD PTR ", 8) && sums_to_zero((const void *)at, 20))
            return (const void *)at;
    return 0;
}

static const struct root_pointer *find_root(void)
{
    uint64_t told = *(const volatile uint64_t *)(uintptr_t)ACPI_ROOT; /* by UEFI (UEFI 2.10, 4.6) */
    if (told)
        return find_root_in(told, told + 20);
    uint64_t segment = *(volatile uint16_t *)(uintptr_t)0x40e; /* of the extended BIOS data area */
    const struct root_pointer *root = segment ? find_root_in(segment << 4, (segment << 4) + 1024) : 0;
    return root ? root : find_root_in(0xe0000, 0x100000);
}

static const struct header *find_table(const struct root_pointer *root, const char *signature)
{
    int wide = root->revision >= 2 && root->xsdt && root->xsdt >> 32 == 0;
    const struct header *index = (const void *)(wide ? root->xsdt : (uint64_t)root->rsdt);
    const uint8_t *entry = (const uint8_t *)(index + 1), *end = (const uint8_t *)index + index->length;
    for (; entry + (wide ? 8 : 4) <= end; entry += wide ? 8 : 4) {
        if (wide && read32(entry + 4))
            continue; /* above what is mapped */
        const struct header *table = (const void *)(uintptr_t)read32(entry);
        if (!memcmp(table->signature, signature, 4) && sums_to_zero(table, table->length))
            return table;
    }
    return 0;
}

static void read_madt_entry(struct acpi_facts *facts, const uint8_t *entry)
{
    switch (entry[0]) {
    case MADT_LOCAL_APIC:
        if (!(read32(entry + 4) & 1))
            break; /* not usable */
        if (facts->apic_count < MAX_CORES)
            facts->apic_id[facts->apic_count++] = entry[3];
        break;
    case MADT_IO_APIC:
        if (read32(entry + 8) == 0) /* the one that has the ISA interrupts */
            facts->io_apic_address = read32(entry + 4);
        break;
    case MADT_OVERRIDE:
        if (entry[3] == UART_IRQ) {
            uint16_t flags = read16(entry + 8);
            facts->serial_pin = read32(entry + 4);
            facts->serial_polarity = ((flags & 3) == 3 ? 1u << 13 : 0) | ((flags >> 2 & 3) == 3 ? 1u << 15 : 0);
        }
        break;
    case MADT_APIC_ADDRESS:
        facts->local_apic_address = read32(entry + 4) | (uint64_t)read32(entry + 8) << 32;
        break;
    }
}

const char *acpi_read(struct acpi_facts *facts)
{
    *facts = (struct acpi_facts){.serial_pin = UART_IRQ};
    const struct root_pointer *root = find_root();
    if (!root)
        return "no ACPI root pointer";
    const struct header *madt = find_table(root, "APIC"), *fadt = find_table(root, "FACP");
    if (!madt)
        return "no ACPI MADT";
    if (!fadt || fadt->length < 80)
        return "no ACPI FADT";
    facts->pm_timer_port = read16((const uint8_t *)fadt + 76);
    const uint8_t *entry = (const uint8_t *)(madt + 1), *end = (const uint8_t *)madt + madt->length;
    facts->local_apic_address = read32(entry);
    for (entry += 8; entry + 2 <= end && entry[1] >= 2; entry += entry[1])
        read_madt_entry(facts, entry);
    if (!facts->io_apic_address)
        return "no I/O APIC";
    return facts->pm_timer_port ? 0 : "no power management timer";
}
