/*
 * Entry of the PXE network bootstrap program: real mode at 0000:7c00, through protected mode into long mode. UEFI comes
 * in at `protected_mode` (boot/efi_land.S), with the section .boot at NBP_BASE and the same parameters left in memory.
 *
 * Invariant: nothing of the file at FILE_ADDRESS is written before the copy at FILE_COPY_BASE is complete, because
 * the digest of that copy is what `version` reports as booted. Hence the stack below 7c00, parameters in fixed low
 * memory, and descriptors whose accessed bit is already set. The PXE stack is asked for the route file before anything
 * is put where that stack may lie: the memory map does not show its memory as usable.
 */
#include "memory_map.h"

    .intel_syntax noprefix
    .section .boot, "awx"
    .code16
    .globl _start
_start:
    cli
    cld
    ljmp 0, offset 1f
1:  mov bp, sp
    mov ebx, [bp + 4]                   /* far pointer to the !PXE structure, behind the return address (PXE 2.1, 4.4.5) */
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, NBP_BASE
    mov [PXE_API], ebx
    rdtsc
    mov [BOOT_TSC], eax
    mov [BOOT_TSC + 4], edx
    mov dword ptr [FILE_ADDRESS], NBP_BASE
    mov dword ptr [FILE_SIZE], offset __file_size
    mov dword ptr [FILE_PARTS], 0
    mov dword ptr [ACPI_ROOT], 0
    mov dword ptr [ACPI_ROOT + 4], 0

    mov dword ptr [E820_COUNT], 0
    mov di, E820_MAP
    xor ebx, ebx
2:  mov eax, 0xe820
    mov edx, 0x534d4150                 /* "SMAP" */
    mov ecx, E820_ENTRY_SIZE
    mov dword ptr [di + 20], 1          /* a BIOS that knows 20 bytes only leaves the attributes alone */
    int 0x15
    jc 3f
    cmp eax, 0x534d4150
    jne 3f
    add di, E820_ENTRY_SIZE
    inc dword ptr [E820_COUNT]
    cmp dword ptr [E820_COUNT], E820_MAX
    jae 3f
    test ebx, ebx
    jnz 2b

3:  call fetch_route_file
    mov ax, 0x2401                      /* gate A20: by the BIOS, and by the chipset's fast gate */
    int 0x15
    in al, 0x92
    or al, 2
    and al, 0xfe                        /* bit 0 resets the machine */
    out 0x92, al

    cli
    lgdt [boot_gdt_pointer]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    ljmp 0x08, offset protected_mode

    .code32
/* In: cs, gdtr = boot_gdt; no paging, interrupts off; the parameters from BOOT_TSC to E820_MAP. */
    .globl protected_mode
protected_mode:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, NBP_BASE

    mov esi, [FILE_ADDRESS]
    mov edi, FILE_COPY_BASE
    mov ecx, [FILE_SIZE]
    rep movsb

    mov ebx, offset copies              /* from the copy of the file to where the parts are linked */
    mov ebp, [FILE_PARTS]
4:  mov esi, [ebx]
    lea esi, [ebp + esi + FILE_COPY_BASE - NBP_BASE]
    mov edi, [ebx + 4]
    mov ecx, [ebx + 8]
    rep movsb
    mov ecx, [ebx + 12]
    xor eax, eax
    rep stosb
    add ebx, 16
    cmp ebx, offset copies_end
    jb 4b

    /* Identity map of the first 4 GiB by 2 MiB pages, supervisor; the last GiB (devices) uncached. */
    mov dword ptr [page_map_level_4], offset page_directory_pointers + 7
    mov eax, offset page_directories + 7
    mov edi, offset page_directory_pointers
    mov ecx, 4
5:  mov [edi], eax
    add edi, 8
    add eax, PAGE_SIZE
    loop 5b
    mov eax, 0x83                       /* present, writable, 2 MiB */
    mov edi, offset page_directories
    mov ecx, 2048
6:  cmp ecx, 512
    jne 7f
    or eax, 0x18                        /* PCD, PWT */
7:  mov [edi], eax
    add edi, 8
    add eax, LARGE_PAGE_SIZE
    loop 6b

    mov eax, CR4_VALUE
    mov cr4, eax
    mov eax, offset page_map_level_4
    mov cr3, eax
    mov ecx, MSR_EFER
    mov eax, EFER_VALUE
    xor edx, edx
    wrmsr
    mov eax, CR0_VALUE
    mov cr0, eax
    ljmp 0x18, offset long_mode

    .code64
long_mode:
    mov rsp, offset kernel_stacks + KERNEL_STACK_SIZE
    xor ebp, ebp
    mov rax, offset kernel_main
    jmp rax

    .balign 16
copies:                                 /* from, to, bytes to copy, bytes to clear behind them */
    .long __kernel_load, __kernel_start, __kernel_size, __kernel_clear
    .long __user_text_load, __user_text_start, __user_text_size, 0
    .long __user_data_load, __user_data_start, __user_data_size, __user_data_clear
copies_end:

    .balign 16
    .globl boot_gdt_pointer
boot_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            /* 08: code 32 */
    .quad 0x00cf93000000ffff            /* 10: data */
    .quad 0x00af9b000000ffff            /* 18: code 64 */
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .long boot_gdt

    .section .note.GNU-stack, "", @progbits
