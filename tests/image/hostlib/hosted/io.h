/* Instead of include/io.h: port input and output, time and waiting of a machine that is a process of this host. */
#ifndef PIX_IO_H
#define PIX_IO_H

#include <stdint.h>

/* Time passes by being read, and by machine_advance(): a run is the same each time. With threads it is the processor's. */
uint64_t read_tsc(void);

/* Who waits lets others run. */
void cpu_relax(void);

/* The one port that ring 3 reads here is the power management timer. */
uint32_t port_read32(uint16_t port);
void port_write32(uint16_t port, uint32_t value);

static inline void prefetch_to_write(uint64_t address)
{
    __builtin_prefetch((const void *)address, 1);
}

#endif
