"""A network bootstrap program of a few bytes: it says something on the first serial port and then answers as told."""

import subprocess
from pathlib import Path

# PXE loads it to 0000:7C00 in real mode. After the greeting, every received byte is sent back; `!` resets the machine
# by the keyboard controller.
SOURCE = """
    .code16
    .globl _start
_start:
    cli
    push %cs
    pop %ds
    mov $greeting, %si
1:  lodsb
    test %al, %al
    jz 2f
    call send
    jmp 1b
2:  mov $0x3fd, %dx
3:  in %dx, %al
    test $1, %al
    jz 3b
    mov $0x3f8, %dx
    in %dx, %al
    cmp $'!', %al
    je 4f
    call send
    jmp 2b
4:  mov $0xfe, %al
    out %al, $0x64
    hlt
send:
    mov %al, %bl
    mov $0x3fd, %dx
5:  in %dx, %al
    test $0x20, %al
    jz 5b
    mov %bl, %al
    mov $0x3f8, %dx
    out %al, %dx
    ret
greeting:
    .asciz "\\r\\nnbp ready\\r\\n"
"""


def build(directory: Path) -> Path:
    """Assemble it; returns the file."""
    source, program = directory / "nbp.S", directory / "nbp"
    source.write_text(SOURCE, encoding="ascii")
    subprocess.run(["as", "--32", "-o", str(directory / "nbp.o"), str(source)], check=True)
    link = ["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", str(program)]
    subprocess.run([*link, str(directory / "nbp.o")], check=True)
    return program
