/*
 * The headers of the EFI application ("Microsoft Portable Executable and Common Object File Format Specification",
 * revision 8.3, sections 3 and 4), and what it carries: the file that a PXE ROM would load, as it is.
 *
 * Sections lie in memory as in the file, so alignments of both are the same. The application refers to nothing by its
 * absolute address, so there are no base relocations, and a loader puts it anywhere.
 */
#include "nbp.h"

#define MACHINE_AMD64 0x8664
#define EXECUTABLE_IMAGE 0x0002
#define LARGE_ADDRESS_AWARE 0x0020
#define PE32_PLUS 0x20b
#define SUBSYSTEM_EFI_APPLICATION 10
#define NX_COMPATIBLE 0x0100
#define CODE_EXECUTE_READ 0x60000020
#define DATA_READ 0x40000040
#define ALIGNMENT 4096
#define DIRECTORIES 16

    .section .header, "a"
    .globl file_start, image_base_field
file_start:
    .ascii "MZ"
    .org 0x3c
    .long pe - file_start
pe: .ascii "PE\0\0"
    .short MACHINE_AMD64
    .short 2                            /* sections */
    .long 0                             /* no time: the same sources give the same bytes */
    .long 0, 0                          /* symbols */
    .short sections - optional
    .short EXECUTABLE_IMAGE | LARGE_ADDRESS_AWARE
optional:
    .short PE32_PLUS
    .byte 0, 0                          /* of the linker: none */
    .long __text_size
    .long __nbp_size                    /* initialised data */
    .long 0                             /* uninitialised data */
    .long __efi_main
    .long __text_start
image_base_field:
    .quad 0
    .long ALIGNMENT                     /* of sections in memory */
    .long ALIGNMENT                     /* and in the file */
    .short 0, 0, 0, 0, 0, 0             /* versions of operating system, image, subsystem */
    .long 0
    .long __file_size
    .long ALIGNMENT                     /* size of the headers */
    .long 0                             /* checksum */
    .short SUBSYSTEM_EFI_APPLICATION
    .short NX_COMPATIBLE
    .quad 0, 0, 0, 0                    /* stack and heap */
    .long 0
    .long DIRECTORIES
    .skip 8 * DIRECTORIES
sections:
    .ascii ".text\0\0\0"
    .long __text_size, __text_start, __text_size, __text_start
    .long 0, 0, 0
    .long CODE_EXECUTE_READ
    .ascii ".nbp\0\0\0\0"
    .long __nbp_size, __nbp_start, __nbp_size, __nbp_start
    .long 0, 0, 0
    .long DATA_READ

    .section .nbp, "a"
    .globl nbp_start
nbp_start:
    .incbin NBP_FILE

    .section .note.GNU-stack, "", @progbits
