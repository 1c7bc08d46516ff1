/*
 * From UEFI's long mode, identity mapped by tables of its own, to 32 bits without paging, where everything can be put to
 * its place; then into start.S as if a PXE ROM had loaded the image. Runs as a copy below 4 GiB, with the boot services
 * ended, and needs neither stack nor tables from the moment that paging is off.
 */
#include "memory_map.h"
#include "nbp.h"

#define CR0_PE_ET 0x11
#define CR4_PAE_LA57 0x1020

    .intel_syntax noprefix
    .text
    .globl land, land_end
    .code64
/* In: rdi = where this copy lies, rsi = the parameters, rdx = the route file; all below 4 GiB. */
land:
    cli
    cld
    mov ebx, edx
    mov rax, cr4
    and eax, CR4_PAE_LA57               /* what would forbid to switch paging off (PCIDE, CET) goes first */
    mov cr4, rax
    sub rsp, 16
    mov word ptr [rsp], offset land_gdt_end - land_gdt - 1
    lea rax, [rdi + land_gdt - land]
    mov [rsp + 2], rax
    lgdt [rsp]
    lea rax, [rdi + 1f - land]
    push 0x08
    push rax
    lretq

    .code32
1:  mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, CR0_PE_ET
    mov cr0, eax

    mov edi, BOOT_TSC
    mov ecx, E820_MAP + E820_MAX * E820_ENTRY_SIZE - BOOT_TSC
    rep movsb
    mov esi, [FILE_ADDRESS]
    add esi, [FILE_PARTS]
    mov edi, NBP_BASE
    mov ecx, NBP_BOOT_SIZE
    rep movsb
    mov esi, ebx
    mov edi, NBP_TABLES_END
    mov ecx, [ROUTE_FILE_SIZE]
    rep movsb
    lgdt [NBP_BOOT_GDT_POINTER]
    ljmp 0x08, NBP_PROTECTED_MODE

    .balign 8
land_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            /* 08: code 32 */
    .quad 0x00cf93000000ffff            /* 10: data */
land_gdt_end:
land_end:

    .section .note.GNU-stack, "", @progbits
