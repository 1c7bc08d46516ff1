/* Exceptions, interrupts and system calls. */
#ifndef PIX_TRAP_H
#define PIX_TRAP_H

#include <stdint.h>

#define TRAP_VECTORS 35
#define TRAP_UNDEFINED 6
#define TRAP_PROTECTION 13
#define TRAP_SERIAL 32
#define TRAP_WAKE 33
#define TRAP_SPURIOUS 34

struct trap_frame { /* as kernel/entry.S and the processor push it */
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

extern const uint64_t trap_stubs[TRAP_VECTORS];

/* kernel/segments.c */
void segments_init(void);

#endif
