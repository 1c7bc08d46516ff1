/*
 * An application processor's way from real mode (after the start-up IPI) into the kernel. kernel/smp.c copies this to
 * TRAMPOLINE_BASE and starts one core at a time, so there is one stack pointer to pick up.
 */
#include "memory_map.h"

#define HERE(label) (TRAMPOLINE_BASE + (label) - trampoline)

    .intel_syntax noprefix
    .section .rodata, "a"
    .globl trampoline, trampoline_end
    .code16
trampoline:
    cli
    xor ax, ax
    mov ds, ax
    lgdt [HERE(trampoline_gdt_pointer)]
    mov eax, CR4_VALUE
    mov cr4, eax
    mov eax, offset page_map_level_4
    mov cr3, eax
    mov ecx, MSR_EFER
    mov eax, EFER_VALUE
    xor edx, edx
    wrmsr
    mov eax, CR0_VALUE                  /* protection and paging at once: straight into long mode */
    mov cr0, eax
    ljmp 0x08, HERE(1f)
    .code64
1:  mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov rsp, [application_stack]
    xor ebp, ebp
    mov rax, offset application_main
    jmp rax

    .balign 8
trampoline_gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
trampoline_gdt_pointer:
    .word . - trampoline_gdt - 1
    .long HERE(trampoline_gdt)
trampoline_end:

    .section .note.GNU-stack, "", @progbits
