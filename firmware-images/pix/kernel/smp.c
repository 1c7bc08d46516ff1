#include "smp.h"

#include "apic.h"
#include "boot_info.h"
#include "console.h"
#include "core.h"
#include "io.h"
#include "memory_map.h"
#include "string.h"

/* A virtual core may have to wait for a core of a busy host. Less than a turn of the 24-bit PM timer, 4.7 s. */
#define STARTUP_DEADLINE_US 3000000

extern const char trampoline[], trampoline_end[];
uint64_t application_stack; /* read by boot/trampoline.S */
void application_main(void) __attribute__((noreturn));

static uint32_t arrived;

static uint32_t pm_ticks(void)
{
    return port_read32(boot_info.pm_timer_port) & PM_TIMER_MASK;
}

/* Waits until the core says that it has arrived, or for duration_us; returns whether it has. */
static int wait_for(uint32_t core, uint32_t duration_us)
{
    uint32_t start = pm_ticks();
    uint32_t ticks = (uint32_t)((uint64_t)duration_us * PM_TIMER_HZ / 1000000);
    while (((pm_ticks() - start) & PM_TIMER_MASK) < ticks) {
        if (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) == core)
            return 1;
        cpu_relax();
    }
    return 0;
}

void application_main(void)
{
    uint32_t core = core_self()->number;
    segments_load(core);
    apic_enable();
    __atomic_store_n(&arrived, core, __ATOMIC_RELEASE);
    core_idle();
}

/* INIT-SIPI-SIPI (Intel SDM 3A, 8.4.4.1). */
static int start(uint32_t core)
{
    application_stack = (uint64_t)kernel_stacks[core] + KERNEL_STACK_SIZE;
    apic_send_init(cores[core].apic_id);
    wait_for(core, 10000);
    apic_send_startup(cores[core].apic_id, TRAMPOLINE_BASE / PAGE_SIZE);
    if (wait_for(core, 1000))
        return 1;
    apic_send_startup(cores[core].apic_id, TRAMPOLINE_BASE / PAGE_SIZE);
    return wait_for(core, STARTUP_DEADLINE_US);
}

void smp_start(const struct acpi_facts *facts)
{
    uint32_t boot_apic = apic_id(), count = 1;
    memcpy((void *)TRAMPOLINE_BASE, trampoline, (size_t)(trampoline_end - trampoline));
    cores[0].apic_id = boot_info.core[0].apic_id = boot_apic;
    boot_info.core[0].state = CORE_RUNNING;
    for (uint32_t i = 0; i < facts->apic_count; i++) {
        if (facts->apic_id[i] == boot_apic)
            continue;
        cores[count] = (struct core){.number = count, .apic_id = facts->apic_id[i]};
        boot_info.core[count].apic_id = facts->apic_id[i];
        if (start(count))
            count++;
        else
            console_print("warning: the core with APIC id %u does not start\r\n", facts->apic_id[i]);
    }
    boot_info.core_count = count;
}
