/*
 * Where everything lies in physical memory; all of it is identity mapped. Used by assembly and C, so: only #defines.
 *
 *   0x00000f00  boot parameters, 0x1000 E820 map             left by boot/start.S, or by boot/efi_main.c
 *   0x00001800  parameters of calls of the PXE stack         boot/route_file.S; free once it has run
 *   0x00007c00  the file as the PXE ROM loaded it; UEFI: its first section, .boot    free once it has been copied
 *   0x00008000  trampoline of the application processors     (over the loaded file)
 *   0x00100000  kernel: text, data, stacks, page tables      ring 0
 *   0x00200000  text of the ring-3 programs                  ring 3, read and execute
 *   0x00400000  data of the ring-3 programs, shared words    ring 3, read and write
 *   0x00600000  untouched copy of the file as loaded         ring 3, read
 *   0x00800000  tables: FIB, RIB, neighbours, buffers, rings ring 3, read and write
 *   __tables_end  the route file, if the boot service sent one  ring 3, read
 */
#ifndef PIX_MEMORY_MAP_H
#define PIX_MEMORY_MAP_H

#define BOOT_TSC 0x0f00
#define E820_COUNT 0x0f08
#define PXE_API 0x0f0c          /* segment:offset of the !PXE structure */
#define PXE_ENTRY 0x0f10        /* segment:offset of its entry point */
#define ROUTE_FILE_SIZE 0x0f14
#define ROUTE_FILE_STATUS 0x0f18
#define ROUTE_FILE_MAX 0x4000000
#define ROUTE_FILE_NO_PXE 0xffff /* besides PXENV_STATUS codes: there is nobody to ask */
#define PXENV_STATUS_TFTP_FILE_NOT_FOUND 0x3b
#define FILE_ADDRESS 0x0f1c     /* of the file as loaded */
#define FILE_SIZE 0x0f20
#define FILE_PARTS 0x0f24       /* offset in the file of what a PXE ROM would load */
#define ACPI_ROOT 0x0f28        /* 8 bytes: address of the root pointer; 0: it is where a BIOS has it */
#define BOOT_MAC 0x0f30         /* 6 bytes: address of the NIC that the image came by; 0: it is not known */
#define E820_MAP 0x1000
#define E820_MAX 64
#define E820_ENTRY_SIZE 24
#define PXE_BLOCK 0x1800
#define NBP_BASE 0x7c00
#define TRAMPOLINE_BASE 0x8000
#define KERNEL_BASE 0x100000
#define USER_TEXT_BASE 0x200000
#define USER_DATA_BASE 0x400000
#define FILE_COPY_BASE 0x600000
#define TABLES_BASE 0x800000

#define PAGE_SIZE 4096
#define LARGE_PAGE_SIZE 0x200000
#define KERNEL_STACK_SIZE 16384

/* Selectors of the global descriptor table; the task state segments of the cores follow, 16 bytes each. */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA 0x1b
#define USER_CODE 0x23
#define FIRST_TSS 0x28

/* Control registers and EFER as every core runs: protected, paged, write protection in ring 0, SSE allowed, NX. */
#define CR0_VALUE 0x80010033 /* PG WP NE ET MP PE */
#define CR4_VALUE 0x00000620 /* OSXMMEXCPT OSFXSR PAE */
#define MSR_EFER 0xc0000080
#define EFER_VALUE 0x900 /* NXE LME */

#endif
