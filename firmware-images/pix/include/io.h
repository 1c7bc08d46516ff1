/* Port input and output, and the few other instructions that C has no words for. */
#ifndef PIX_IO_H
#define PIX_IO_H

#include <stdint.h>

static inline uint8_t port_read8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t port_read32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void port_write32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

/*
 * Asks for a line in order to write it: the device has just written it, so a plain prefetch would take two transfers.
 * The compiler makes a plain one for the processors that this image is built for; those that lack it ignore this one.
 */
static inline void prefetch_to_write(uint64_t address)
{
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
}

#endif
