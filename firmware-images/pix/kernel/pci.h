/* PCI enumeration: finds the data ports and silences every other network card. */
#ifndef PIX_PCI_H
#define PIX_PCI_H

/*
 * Fills boot_info.nic with the modern virtio-net functions, maps their memory BARs for ring 3 and lets them use memory.
 * Every other network function loses its bus mastering: the PXE ROM has left its card running, and it would go on
 * writing received frames to memory that is ours now.
 */
void pci_scan(void);

#endif
