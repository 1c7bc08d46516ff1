/* What the kernel found out about the machine, for the ring-3 programs. The kernel writes, ring 3 reads. */
#ifndef PIX_BOOT_INFO_H
#define PIX_BOOT_INFO_H

#include <stdint.h>
#include "capacity.h"
#include "memory_map.h"
#include "pci_config.h"

enum core_state { CORE_PARKED, CORE_RUNNING, CORE_FAULTED };

struct core_info {
    uint32_t apic_id;
    uint32_t state; /* enum core_state; the kernel of that core changes it */
};

struct nic_info {
    pci_address at;
    uint64_t bar[6]; /* physical address, 0 where there is no memory BAR */
};

struct boot_info {
    uint64_t boot_tsc; /* time stamp counter at the first instruction of the image */
    uint64_t file_address;
    uint64_t file_size; /* bytes of the file as loaded, copied to file_address before anything changed it */
    uint64_t route_file_address; /* what the boot service sent beside the image */
    uint32_t route_file_size;    /* 0: nothing */
    uint32_t route_file_status;  /* why: PXENV_STATUS of the boot ROM, or ROUTE_FILE_NO_PXE */
    uint32_t core_count;
    struct core_info core[MAX_CORES]; /* 0 is the boot core */
    uint32_t nic_count;
    struct nic_info nic[MAX_PORTS + 1]; /* modern virtio-net, ordered by bus, device, function; one may be the boot NIC */
    uint8_t boot_mac[6]; /* of the NIC that the image came by, which is no port; 0: it is not known */
    uint64_t memory_start, memory_end; /* usable memory behind the tables, for ring 3; below 4 GiB */
    uint16_t pm_timer_port;         /* ACPI power management timer, 3.579545 MHz, 24 bits */
};

extern struct boot_info boot_info;

/* The ring-3 program of core 0. */
#define SHELL_STACK_SIZE 32768
extern char shell_stack[SHELL_STACK_SIZE];
void shell_main(void);

#define PM_TIMER_HZ 3579545u
#define PM_TIMER_MASK 0xffffffu

#endif
