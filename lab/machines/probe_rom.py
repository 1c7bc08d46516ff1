"""A firmware of 64 KiB that does nothing but count in ring 0, to see how fast ring 0 runs on a host.

It starts at the reset vector as any x86 firmware (Intel SDM volume 3, section 9.1.4), switches to 32-bit protected
mode, writes ``A`` to the debug port, counts down, writes ``B`` and halts.
"""

from __future__ import annotations

COUNT = 1_000_000
INSTRUCTIONS = 2 * COUNT

_SIZE = 0x10000
_CODE = 0xFF00  # offset in the file; the last 64 KiB below 4 GiB hold it, so its flat address is FFFF0000h + offset
_FLAT = 0xFFFF_0000


def build() -> bytes:
    """Return the firmware."""
    rom = bytearray(b"\xf4" * _SIZE)
    flat_code = _FLAT + _CODE + 0x20
    real = bytes.fromhex("fa 2e 66 0f 01 16 80 ff")  # cli; lgdt cs:[ff80h]
    real += bytes.fromhex("0f 20 c0 0c 01 0f 22 c0")  # mov eax, cr0; or al, 1 (PE); mov cr0, eax
    real += b"\x66\xea" + flat_code.to_bytes(4, "little") + b"\x08\x00"  # jmp 08h:flat_code
    flat = bytes.fromhex("b0 41 e6 e9")  # mov al, 'A'; out e9h, al
    flat += b"\xb9" + COUNT.to_bytes(4, "little")  # mov ecx, COUNT
    flat += bytes.fromhex("49 75 fd")  # 1: dec ecx; jnz 1b
    flat += bytes.fromhex("b0 42 e6 e9 f4 eb fd")  # mov al, 'B'; out e9h, al; 2: hlt; jmp 2b
    gdt = bytes(8) + bytes.fromhex("ff ff 00 00 00 9b cf 00")  # null; flat 32-bit code, accessed (it lies in ROM)
    gdtr = (len(gdt) - 1).to_bytes(2, "little") + (_FLAT + 0xFF90).to_bytes(4, "little")
    for offset, part in ((_CODE, real), (_CODE + 0x20, flat), (0xFF80, gdtr), (0xFF90, gdt)):
        rom[offset : offset + len(part)] = part
    rom[0xFFF0:0xFFF3] = b"\xe9" + (_CODE - 0xFFF3).to_bytes(2, "little", signed=True)  # jmp _CODE
    return bytes(rom)
