/* The interrupt controllers: local APIC in xAPIC mode (Intel SDM 3A, 11), I/O APIC (82093AA), and the 8259s masked. */
#ifndef PIX_APIC_H
#define PIX_APIC_H

#include <stdint.h>
#include "acpi.h"

/* Masks the 8259s and takes the addresses of the controllers. */
void apic_init(const struct acpi_facts *facts);
/* Switches the calling core's local APIC on. */
void apic_enable(void);
/* Local APIC id of the calling core. */
uint32_t apic_id(void);
void apic_end_of_interrupt(void);
/* Ends a core's halt. */
void apic_wake(uint32_t apic_id);
/* INIT and start-up inter-processor interrupts; page is the physical page number where the core begins. */
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint8_t page);
/* Routes the serial port's interrupt to a core. */
void apic_route_serial(const struct acpi_facts *facts, uint32_t apic_id);

#endif
