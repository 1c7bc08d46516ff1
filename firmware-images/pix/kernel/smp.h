/* Start of the application processors. */
#ifndef PIX_SMP_H
#define PIX_SMP_H

#include "acpi.h"

/* Starts every further core, one after the other; each parks. Fills boot_info.core. A core that does not come is left out. */
void smp_start(const struct acpi_facts *facts);

#endif
