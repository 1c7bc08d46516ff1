#include "core.h"

#include "apic.h"
#include "boot_info.h"

struct core cores[MAX_CORES];
char kernel_stacks[MAX_CORES][KERNEL_STACK_SIZE] __attribute__((aligned(KERNEL_STACK_SIZE)));

static void set_state(uint32_t core, enum core_state state)
{
    __atomic_store_n(&boot_info.core[core].state, state, __ATOMIC_RELEASE);
}

void core_idle(void)
{
    struct core *self = core_self();
    uint32_t state = boot_info.core[self->number].state;
    if (state == CORE_RUNNING)
        set_state(self->number, CORE_PARKED);
    if (state != CORE_PARKED)
        apic_wake(cores[0].apic_id); /* core 0 may halt until a core has come to its end */
    for (;;) {
        uint64_t entry = __atomic_load_n(&self->run_entry, __ATOMIC_ACQUIRE);
        if (entry) {
            uint64_t stack = self->run_stack, argument = self->run_argument;
            __atomic_store_n(&self->run_entry, 0, __ATOMIC_RELEASE);
            enter_user(entry, stack, argument);
        }
        halt_until_interrupt();
    }
}

long core_run(uint64_t core, uint64_t entry, uint64_t stack, uint64_t argument)
{
    if (core == 0 || core >= boot_info.core_count || boot_info.core[core].state == CORE_RUNNING)
        return -1;
    cores[core].run_stack = stack;
    cores[core].run_argument = argument;
    set_state((uint32_t)core, CORE_RUNNING);
    __atomic_store_n(&cores[core].run_entry, entry, __ATOMIC_SEQ_CST);
    apic_wake(cores[core].apic_id);
    return 0;
}
