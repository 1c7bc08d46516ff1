/* Traps into the kernel and the way out to ring 3. Interrupts are off everywhere but inside halt_until_interrupt. */
#include "memory_map.h"

    .intel_syntax noprefix
    .text

    .macro STUB vector, has_error
trap_\vector:
    .if \has_error == 0
    push 0
    .endif
    push \vector
    jmp trap_common
    .endm

    .irp vector, 0,1,2,3,4,5,6,7,9,15,16,18,19,20,22,23,24,25,26,27,28,31,32,33,34
    STUB \vector, 0
    .endr
    .irp vector, 8,10,11,12,13,14,17,21,29,30
    STUB \vector, 1
    .endr

trap_common:
    push rax
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
    cld
    mov rdi, rsp
    call trap
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rbp
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rax
    add rsp, 16
    iretq

    .globl enter_user                   /* (entry, stack, argument): interrupts stay off in ring 3 */
enter_user:
    mov rax, rdi
    mov rdi, rdx
    push USER_DATA
    push rsi
    push 2
    push USER_CODE
    push rax
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    xor esi, esi
    xor ebp, ebp
    xor r8d, r8d
    xor r9d, r9d
    xor r10d, r10d
    xor r11d, r11d
    xor r12d, r12d
    xor r13d, r13d
    xor r14d, r14d
    xor r15d, r15d
    iretq

    .globl halt_until_interrupt
halt_until_interrupt:
    sti
    hlt
    cli
    ret

    .globl segments_reload              /* (pointer to GDT pointer, TSS selector) */
segments_reload:
    lgdt [rdi]
    mov ax, KERNEL_DATA
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    pop rax
    push KERNEL_CODE
    push rax
    ltr si
    retfq

    .section .rodata
    .globl trap_stubs
    .balign 8
trap_stubs:
    .irp vector, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34
    .quad trap_\vector
    .endr

    .section .note.GNU-stack, "", @progbits
