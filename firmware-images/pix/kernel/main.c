#include "machine.h"

#include "acpi.h"
#include "apic.h"
#include "boot_info.h"
#include "console.h"
#include "core.h"
#include "e820.h"
#include "memory_map.h"
#include "paging.h"
#include "pci.h"
#include "smp.h"
#include "trap.h"
#include "uart.h"

#define ADDRESSES_END 0x100000000ull /* of the map, and of what a pool of buffers can name */
#define KEYBOARD_COMMAND 0x64
#define RESET_CONTROL 0xcf9

extern char __tables_end[];
void kernel_main(void) __attribute__((noreturn));

static void __attribute__((noreturn)) stop(const char *reason)
{
    console_print("error: %s\r\n", reason);
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* Where the usable memory ends that begins at or before `start` and has no gap; `start` if that is not usable itself. */
static uint64_t usable_until(uint64_t start)
{
    const struct e820_entry *map = (const void *)E820_MAP;
    uint32_t count = *(const volatile uint32_t *)(uintptr_t)E820_COUNT;
    for (uint32_t pass = 0; pass < count; pass++) /* entries come in any order */
        for (uint32_t i = 0; i < count; i++)
            if (map[i].type == E820_USABLE && map[i].base <= start && start < map[i].base + map[i].length)
                start = map[i].base + map[i].length;
    return start;
}

/*
 * What boot/route_file.S has got; returns where memory is free behind it. A machine without a route file is an ordinary
 * one; a file that could not be had is told.
 */
static uint64_t take_route_file(void)
{
    boot_info.route_file_address = (uint64_t)__tables_end;
    boot_info.route_file_size = *(const volatile uint32_t *)(uintptr_t)ROUTE_FILE_SIZE;
    boot_info.route_file_status = *(const volatile uint32_t *)(uintptr_t)ROUTE_FILE_STATUS;
    if (!boot_info.route_file_size && boot_info.route_file_status != ROUTE_FILE_NO_PXE &&
        boot_info.route_file_status != PXENV_STATUS_TFTP_FILE_NOT_FOUND)
        console_print("warning: the route file was not received (PXE status 0x%x): is it larger than the memory, or than 64 MiB?\r\n",
                      boot_info.route_file_status);
    return (boot_info.route_file_address + boot_info.route_file_size + LARGE_PAGE_SIZE - 1) & ~(uint64_t)(LARGE_PAGE_SIZE - 1);
}

void machine_run_shell(void)
{
    enter_user((uint64_t)shell_main, (uint64_t)(shell_stack + SHELL_STACK_SIZE - 8), 0);
}

void machine_reset(void)
{
    port_write8(RESET_CONTROL, 0x02);
    port_write8(RESET_CONTROL, 0x06);
    port_write8(KEYBOARD_COMMAND, 0xfe);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void kernel_main(void)
{
    static struct acpi_facts facts;
    uart_init();
    boot_info.boot_tsc = *(const volatile uint64_t *)(uintptr_t)BOOT_TSC;
    boot_info.file_address = FILE_COPY_BASE;
    boot_info.file_size = *(const volatile uint32_t *)(uintptr_t)FILE_SIZE;
    uint64_t memory_end = usable_until(KERNEL_BASE) & ~(uint64_t)(LARGE_PAGE_SIZE - 1);
    if (memory_end > ADDRESSES_END)
        memory_end = ADDRESSES_END;
    if (memory_end < (uint64_t)__tables_end)
        stop("too little memory: all from 1 MiB to the end of the tables has to be usable: give the machine 256 MiB, "
             "and have its firmware keep nothing there for a sleep (S3)");
    const char *missing = acpi_read(&facts);
    if (missing)
        stop(missing);
    boot_info.pm_timer_port = facts.pm_timer_port;
    for (unsigned i = 0; i < sizeof(boot_info.boot_mac); i++)
        boot_info.boot_mac[i] = ((const volatile uint8_t *)(uintptr_t)BOOT_MAC)[i];
    boot_info.memory_end = memory_end;
    boot_info.memory_start = take_route_file();
    if (boot_info.memory_start > memory_end)
        boot_info.memory_start = memory_end;
    paging_init(memory_end);
    segments_init();
    segments_load(0);
    apic_init(&facts);
    apic_enable();
    pci_scan();
    smp_start(&facts);
    apic_route_serial(&facts, apic_id());
    machine_run_shell();
}
