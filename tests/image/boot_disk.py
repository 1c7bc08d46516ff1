"""A disk that starts the image without any PXE stack, as a boot loader would."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.image.machine import Machine

SECTOR_BYTES = 512
SECTORS_AT_ONCE = 64

# The BIOS loads this to 0000:7c00, where the image has to go: so it moves away, reads the image by int 13h function 42h
# (BIOS Enhanced Disk Drive Specification) and jumps to it. What PXE would have left on the stack is something else.
SOURCE = """
    .intel_syntax noprefix
    .code16
    .globl _start
_start:
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x600
    mov si, 0x7c00
    mov di, 0x600
    mov cx, 256
    rep movsw
    ljmp 0, offset moved
moved:
    mov ah, 0x42
    mov dl, 0x80
    mov si, offset packet
    int 0x13
    jc failed
    add word ptr [packet + 6], {at_once} * 32
    add dword ptr [packet + 8], {at_once}
    dec word ptr [rounds]
    jnz moved
    push 0x1111
    push 0x2222
    push 0x3333
    push 0x4444
    ljmp 0, 0x7c00
failed:
    hlt
    jmp failed
rounds:
    .word {rounds}
packet:
    .word 16, {at_once}, 0, 0x7c0
    .quad 1
    .org 510
    .word 0xaa55
"""


def make(image: Path, folder: Path) -> Path:
    """Write a disk with the image behind a boot sector; returns it."""
    data = image.read_bytes()
    rounds = -(-len(data) // (SECTOR_BYTES * SECTORS_AT_ONCE))
    source, linked, disk = folder / "loader.S", folder / "loader", folder / "disk"
    source.write_text(SOURCE.format(at_once=SECTORS_AT_ONCE, rounds=rounds), encoding="ascii")
    subprocess.run(["as", "--32", "-o", str(folder / "loader.o"), str(source)], check=True)
    link = ["ld", "-m", "elf_i386", "-Ttext", "0x600", "--oformat", "binary", "-o", str(linked)]
    subprocess.run([*link, str(folder / "loader.o")], check=True)
    disk.write_bytes(linked.read_bytes() + data.ljust(rounds * SECTORS_AT_ONCE * SECTOR_BYTES, b"\0"))
    return disk


def booted(image: Path, folder: Path, ports: int = 2, cores: int = 2) -> Machine:
    """Boot a machine from such a disk, for tests of what comes after the boot.

    It is up in half a second. Of the five that PXE takes, QEMU's boot ROM waits three for a second DHCP server.
    """
    return Machine(image, folder, ports, cores, disk=make(image, folder))
