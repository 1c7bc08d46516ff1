#include "pci.h"

#include "boot_info.h"
#include "console.h"
#include "paging.h"

#define VIRTIO_NET_MODERN 0x10411af4
#define CLASS_NETWORK 0x02
#define CLASS_BRIDGE_PCI 0x0604
#define HEADER_MULTIFUNCTION 0x80
#define BAR_IO 1u
#define BAR_64BIT 4u

/* Size in bytes of a memory BAR: ones are written and the device keeps its size bits zero (PCI 3.0, 6.2.5.1). */
static uint64_t bar_size(pci_address at, unsigned offset, int wide)
{
    uint32_t low = pci_read(at, offset), high = wide ? pci_read(at, offset + 4) : 0;
    pci_write(at, offset, 0xffffffff);
    uint64_t mask = pci_read(at, offset) & ~0xfu;
    pci_write(at, offset, low);
    if (wide) {
        pci_write(at, offset + 4, 0xffffffff);
        mask |= (uint64_t)pci_read(at, offset + 4) << 32;
        pci_write(at, offset + 4, high);
    } else {
        mask |= 0xffffffff00000000ull;
    }
    return ~mask + 1;
}

static void map_bars(struct nic_info *nic)
{
    for (unsigned i = 0; i < 6; i++) {
        unsigned offset = PCI_BAR0 + 4 * i;
        uint32_t bar = pci_read(nic->at, offset);
        int wide = (bar & 6) == BAR_64BIT;
        uint64_t base = (bar & ~0xfu) | (wide ? (uint64_t)pci_read(nic->at, offset + 4) << 32 : 0);
        if (!(bar & BAR_IO) && base) { /* UEFI begins at a multiple of 4 GiB */
            uint64_t size = bar_size(nic->at, offset, wide);
            if (paging_map(base, size, PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_UNCACHED | PAGE_NO_EXECUTE))
                console_print("warning: no page tables left for BAR %u of PCI function %x\r\n", i, nic->at);
            else
                nic->bar[i] = base;
        }
        i += wide ? 1 : 0;
    }
}

static void add_nic(pci_address at)
{
    if (boot_info.nic_count == sizeof(boot_info.nic) / sizeof(*boot_info.nic))
        return;
    struct nic_info *nic = &boot_info.nic[boot_info.nic_count++];
    nic->at = at;
    uint32_t command = pci_read(at, PCI_COMMAND) & 0xffff;
    pci_write(at, PCI_COMMAND, command & ~(uint32_t)(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
    map_bars(nic);
    pci_write(at, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
}

static void scan_bus(unsigned bus);

static void scan_function(pci_address at)
{
    uint32_t id = pci_read(at, PCI_ID), class = pci_read(at, PCI_CLASS) >> 8;
    if (id == VIRTIO_NET_MODERN) {
        add_nic(at);
    } else if (class >> 16 == CLASS_NETWORK) {
        uint32_t command = pci_read(at, PCI_COMMAND) & 0xffff;
        pci_write(at, PCI_COMMAND, command & ~(uint32_t)PCI_COMMAND_MASTER);
    } else if (class >> 8 == CLASS_BRIDGE_PCI) {
        unsigned secondary = pci_read(at, PCI_BUSES) >> 8 & 0xff;
        if (secondary > (unsigned)at >> 8) /* a bridge that the firmware has set up leads to a higher bus */
            scan_bus(secondary);
    }
}

static void scan_bus(unsigned bus)
{
    for (unsigned device = 0; device < 32; device++) {
        pci_address at = (pci_address)(bus << 8 | device << 3);
        if ((pci_read(at, PCI_ID) & 0xffff) == 0xffff)
            continue;
        unsigned functions = pci_read(at, PCI_HEADER_TYPE) >> 16 & HEADER_MULTIFUNCTION ? 8 : 1;
        for (unsigned function = 0; function < functions; function++)
            if ((pci_read(at | (pci_address)function, PCI_ID) & 0xffff) != 0xffff)
                scan_function(at | (pci_address)function);
    }
}

void pci_scan(void)
{
    scan_bus(0);
}
