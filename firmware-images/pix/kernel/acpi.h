/* What is read from the ACPI tables (ACPI 6.4, 5.2): processors, interrupt controllers, the power management timer. */
#ifndef PIX_ACPI_H
#define PIX_ACPI_H

#include <stdint.h>
#include "capacity.h"

struct acpi_facts {
    uint32_t apic_count; /* enabled processors, at most MAX_CORES are listed */
    uint32_t apic_id[MAX_CORES];
    uint64_t local_apic_address;
    uint32_t io_apic_address;
    uint32_t serial_pin;      /* input of the I/O APIC that ISA interrupt UART_IRQ is wired to */
    uint32_t serial_polarity; /* bits 13 and 15 of the redirection entry: active low, level */
    uint16_t pm_timer_port;
};

/* Fills facts; returns what is missing, or a null pointer if nothing is. */
const char *acpi_read(struct acpi_facts *facts);

#endif
