/* PCI configuration mechanism 1 (PCI Local Bus 3.0, 3.2.2.3.2). Both rings use it: the kernel to enumerate, drivers for capabilities. */
#ifndef PIX_PCI_CONFIG_H
#define PIX_PCI_CONFIG_H

#include "io.h"

#define PCI_CONFIG_ADDRESS 0xcf8
#define PCI_CONFIG_DATA 0xcfc

#define PCI_ID 0x00
#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x0002
#define PCI_COMMAND_MASTER 0x0004
#define PCI_COMMAND_INTX_DISABLE 0x0400
#define PCI_STATUS_CAPABILITIES 0x00100000 /* in the dword at PCI_COMMAND */
#define PCI_CLASS 0x08
#define PCI_HEADER_TYPE 0x0c /* bits 16-23 of this dword */
#define PCI_BAR0 0x10
#define PCI_BUSES 0x18
#define PCI_CAPABILITIES 0x34

/* A function's place: bus 8 bits, device 5, function 3. */
typedef uint16_t pci_address;

static inline uint32_t pci_read(pci_address at, unsigned offset)
{
    port_write32(PCI_CONFIG_ADDRESS, 0x80000000u | (uint32_t)at << 8 | (offset & 0xfc));
    return port_read32(PCI_CONFIG_DATA);
}

static inline void pci_write(pci_address at, unsigned offset, uint32_t value)
{
    port_write32(PCI_CONFIG_ADDRESS, 0x80000000u | (uint32_t)at << 8 | (offset & 0xfc));
    port_write32(PCI_CONFIG_DATA, value);
}

#endif
