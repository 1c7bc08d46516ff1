#include "trap.h"

#include "apic.h"
#include "boot_info.h"
#include "console.h"
#include "core.h"
#include "machine.h"
#include "system_call.h"

#define INSTRUCTION_HLT 0xf4

void trap(struct trap_frame *frame);

static long system_call_dispatch(const struct trap_frame *frame)
{
    switch (frame->rax) {
    case SYSTEM_CALL_RUN:
        return core_run(frame->rdi, frame->rsi, frame->rdx, frame->rcx);
    case SYSTEM_CALL_PARK:
        core_idle();
    case SYSTEM_CALL_REBOOT:
        machine_reset();
    }
    return -1;
}

static void report_fault(const struct trap_frame *frame, const char *where)
{
    uint64_t address;
    __asm__("mov %%cr2, %0" : "=r"(address));
    console_print("\r\nerror: fault %u in %s of core %u: error %lx rip %lx rsp %lx address %lx\r\n", (unsigned)frame->vector,
                  where, core_self()->number, frame->error, frame->rip, frame->rsp, address);
}

/* A fault of ring 3 costs that program, not the machine: an exclusive core parks, the shell starts again. */
static void __attribute__((noreturn)) kill_program(const struct trap_frame *frame)
{
    uint32_t core = core_self()->number;
    if (core != 0)
        __atomic_store_n(&boot_info.core[core].state, CORE_FAULTED, __ATOMIC_RELEASE); /* who reads the report sees it */
    report_fault(frame, "ring 3");
    if (core == 0)
        machine_run_shell();
    core_idle();
}

void trap(struct trap_frame *frame)
{
    if (frame->vector >= TRAP_SERIAL) {
        if (frame->vector != TRAP_SPURIOUS)
            apic_end_of_interrupt();
        return;
    }
    if ((frame->cs & 3) == 0) {
        report_fault(frame, "the kernel");
        for (;;)
            __asm__ volatile("cli; hlt");
    }
    if (frame->vector == TRAP_UNDEFINED && frame->rax >= SYSTEM_CALL_RUN && frame->rax <= SYSTEM_CALL_REBOOT) {
        frame->rip += 2; /* over ud2 */
        frame->rax = (uint64_t)system_call_dispatch(frame);
        return;
    }
    if (frame->vector == TRAP_PROTECTION && *(const uint8_t *)frame->rip == INSTRUCTION_HLT) {
        frame->rip += 1;
        halt_until_interrupt();
        return;
    }
    kill_program(frame);
}
