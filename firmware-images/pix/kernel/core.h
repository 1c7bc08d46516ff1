/* A processor core as the kernel sees it. */
#ifndef PIX_CORE_H
#define PIX_CORE_H

#include <stdint.h>
#include "capacity.h"
#include "memory_map.h"

struct task_state_segment { /* Intel SDM 3A, 8.7 */
    uint32_t reserved0;
    uint64_t rsp0;
    uint64_t reserved1[11];
    uint16_t reserved2;
    uint16_t io_map_base;
} __attribute__((packed));

/*
 * Invariant: only core 0 writes run_*, and only while the core is parked; the core itself takes run_entry and clears it.
 */
struct core {
    uint32_t number;
    uint32_t apic_id;
    uint64_t run_entry; /* 0: nothing to do */
    uint64_t run_stack;
    uint64_t run_argument;
};

extern struct core cores[MAX_CORES];
extern char kernel_stacks[MAX_CORES][KERNEL_STACK_SIZE];

/* Stacks are aligned to their size, so the stack pointer tells the core without an instruction that needs emulation. */
static inline struct core *core_self(void)
{
    uint64_t here = (uint64_t)__builtin_frame_address(0) - 1;
    return &cores[(here - (uint64_t)kernel_stacks) / KERNEL_STACK_SIZE];
}

/* kernel/segments.c: loads this core's descriptor tables and task state. */
void segments_load(uint32_t core);

/* kernel/core.c: parks the calling core until core 0 gives it something to run. */
void core_idle(void) __attribute__((noreturn));
/* kernel/core.c: has a parked core run entry(argument) in ring 3. Returns -1 if that core cannot. */
long core_run(uint64_t core, uint64_t entry, uint64_t stack, uint64_t argument);

/* kernel/entry.S */
void enter_user(uint64_t entry, uint64_t stack, uint64_t argument) __attribute__((noreturn));
void halt_until_interrupt(void);

#endif
