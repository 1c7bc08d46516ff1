/*
 * Asks the PXE stack that loaded the image for the file beside it, NAME.routes, while the processor is in real mode
 * ("Preboot Execution Environment (PXE) Specification", version 2.1, 4.3.1 and 4.3.3). The name and the server are those
 * of the image itself, from the DHCP packet that the stack has kept. Nothing here is fatal: without a PXE stack or a
 * file, ROUTE_FILE_SIZE is 0 and ROUTE_FILE_STATUS says why.
 */
#include "memory_map.h"

#define PXENV_TFTP_READ_FILE 0x23
#define PXENV_GET_CACHED_INFO 0x71
#define PACKET_TYPE_DHCP_ACK 2
#define PACKET_TYPE_CACHED_REPLY 3
#define TFTP_PORT 0x4500                /* 69 in network order */
#define E820_USABLE 1

/* The !PXE structure. */
#define PXE_LENGTH 4
#define PXE_ENTRY_POINT 0x10

/* The packet of BOOTP (RFC 951). */
#define BOOTP_CHADDR 28
#define BOOTP_SIADDR 20
#define BOOTP_GIADDR 24
#define BOOTP_FILE 108

/* Parameters of GET_CACHED_INFO. */
#define INFO_TYPE (PXE_BLOCK + 2)
#define INFO_SIZE (PXE_BLOCK + 4)
#define INFO_BUFFER (PXE_BLOCK + 6)

/* Parameters of TFTP_READ_FILE. */
#define READ_NAME (PXE_BLOCK + 2)
#define READ_NAME_MAX (128 - 8)         /* leaves room for the suffix and its zero */
#define READ_SIZE (PXE_BLOCK + 130)
#define READ_BUFFER (PXE_BLOCK + 134)
#define READ_SERVER (PXE_BLOCK + 138)
#define READ_GATEWAY (PXE_BLOCK + 142)
#define READ_SERVER_PORT (PXE_BLOCK + 152)
#define READ_OPEN_TIMEOUT_S (PXE_BLOCK + 154)
#define PXE_BLOCK_SIZE 160

    .intel_syntax noprefix
    .section .boot, "awx"
    .code16

suffix:
    .asciz ".routes"
    .equ SUFFIX_SIZE, . - suffix

/* In: ds = es = ss = 0, the E820 map is there. Out: the same segments; every other register may have changed. */
    .globl fetch_route_file
fetch_route_file:
    mov dword ptr [ROUTE_FILE_SIZE], 0
    mov dword ptr [ROUTE_FILE_STATUS], ROUTE_FILE_NO_PXE
    mov dword ptr [BOOT_MAC], 0
    mov word ptr [BOOT_MAC + 4], 0
    call find_entry
    jne 9f
    mov ax, PACKET_TYPE_CACHED_REPLY
    call find_packet
    jne 1f
    mov ax, PACKET_TYPE_DHCP_ACK
    call find_packet
    je 9f
1:  call name_file
    call find_room
    jz 9f
    mov [READ_SIZE], eax
    mov dword ptr [READ_BUFFER], offset __tables_end
    mov word ptr [READ_SERVER_PORT], TFTP_PORT
    mov word ptr [READ_OPEN_TIMEOUT_S], 3
    mov ax, PXENV_TFTP_READ_FILE
    call call_pxe
    movzx eax, word ptr [PXE_BLOCK]
    mov [ROUTE_FILE_STATUS], eax
    jnz 9f
    mov eax, [READ_SIZE]
    mov [ROUTE_FILE_SIZE], eax
9:  ret

/* Finds the stack's entry point. Out: equal if there is a !PXE structure and its bytes add up to 0. */
find_entry:
    les di, [PXE_API]
    mov al, 1
    cmp dword ptr es:[di], 0x45585021   /* "!PXE" */
    jne 2f
    mov edx, es:[di + PXE_ENTRY_POINT]
    mov [PXE_ENTRY], edx
    movzx cx, byte ptr es:[di + PXE_LENGTH]
    xor al, al
1:  add al, es:[di]
    inc di
    loop 1b
2:  push ds
    pop es
    test al, al
    ret

/* In: ax = which packet. Out: fs:si is the packet; equal if there is none or it names no file. Keeps its chaddr. */
find_packet:
    call clear_block
    mov [INFO_TYPE], ax
    mov ax, PXENV_GET_CACHED_INFO
    call call_pxe
    jz 1f
    xor ax, ax
    ret
1:  lfs si, [INFO_BUFFER]
    cmp word ptr [INFO_SIZE], BOOTP_FILE
    jbe 2f
    mov eax, fs:[si + BOOTP_CHADDR]
    mov [BOOT_MAC], eax
    mov ax, fs:[si + BOOTP_CHADDR + 4]
    mov [BOOT_MAC + 4], ax
    cmp byte ptr fs:[si + BOOTP_FILE], 0
    ret
2:  cmp ax, ax
    ret

/* Writes name and server of the route file into the parameters of TFTP_READ_FILE, from the packet at fs:si. */
name_file:
    call clear_block
    mov eax, fs:[si + BOOTP_SIADDR]
    mov [READ_SERVER], eax
    mov eax, fs:[si + BOOTP_GIADDR]
    mov [READ_GATEWAY], eax
    add si, BOOTP_FILE
    mov di, READ_NAME
    mov cx, READ_NAME_MAX
1:  mov al, fs:[si]
    test al, al
    jz 2f
    stosb
    inc si
    loop 1b
2:  mov si, offset suffix
    mov cx, SUFFIX_SIZE
    rep movsb
    ret

/* Out: eax = usable bytes from the end of the tables on, at most ROUTE_FILE_MAX; zero if there are none. */
find_room:
    mov si, E820_MAP
    mov cx, [E820_COUNT]
    jcxz 5f
1:  cmp dword ptr [si + 16], E820_USABLE
    jne 3f
    cmp dword ptr [si + 4], 0
    jne 3f
    mov eax, [si]
    cmp eax, offset __tables_end
    ja 3f
    xor edx, edx
    add eax, [si + 8]
    adc edx, [si + 12]
    jnz 2f                              /* it ends above 4 GiB */
    sub eax, offset __tables_end
    jbe 3f
    cmp eax, ROUTE_FILE_MAX
    jbe 4f
2:  mov eax, ROUTE_FILE_MAX
    jmp 4f
3:  add si, E820_ENTRY_SIZE
    loop 1b
5:  xor eax, eax
4:  test eax, eax
    ret

clear_block:
    push ax
    xor ax, ax
    mov di, PXE_BLOCK
    mov cx, PXE_BLOCK_SIZE / 2
    rep stosw
    pop ax
    ret

/* In: ax = the function; its parameters are in PXE_BLOCK. Out: zero if it succeeded. Keeps no register but the segments. */
call_pxe:
    push ds
    push PXE_BLOCK
    push ax
    sti                                 /* the stack may wait for its card and the clock */
    lcall [PXE_ENTRY]
    cli
    cld
    add sp, 6
    xor cx, cx
    mov ds, cx
    mov es, cx
    test ax, ax
    ret

    .section .note.GNU-stack, "", @progbits
