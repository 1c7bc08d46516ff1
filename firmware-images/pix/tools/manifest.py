"""Write the manifest of one built image variant from its file and its ELF.

Usage: manifest.py NAME LAYOUT FOLDER

Everything about the shared structures comes from the section .pix_layout, where qgm/layout_table.c has the compiler put
sizes and offsets; nothing is repeated here.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from pathlib import Path

SECTION = ".pix_layout"
HEAD = struct.Struct("<8s32s16s16s80s3I")
RECORD = struct.Struct("<32s16s8s104s5I")
MAGIC = "PIXTAB1"


def text(raw: bytes) -> str:
    """Return a zero-terminated field as text."""
    return raw.split(b"\0", 1)[0].decode("ascii")


def section(elf: bytes, name: str) -> bytes:
    """Return the content of a section of a little-endian ELF64 file; raises SystemExit when there is none."""
    (offset,) = struct.unpack_from("<Q", elf, 0x28)
    size, count, names_index = struct.unpack_from("<3H", elf, 0x3A)
    headers = [struct.unpack_from("<2I4Q", elf, offset + i * size) for i in range(count)]
    names = headers[names_index][4]
    for header in headers:
        if text(elf[names + header[0] : names + header[0] + 64]) == name:
            return elf[header[4] : header[4] + header[5]]
    raise SystemExit(f"error: the ELF has no section {name}: was qgm/layout_table.c linked?")


def shared_structures(table: bytes, record_size: int) -> list[dict[str, object]]:
    """Return the table's records; offsets and sizes in bytes within the ELF's symbol `shared`."""
    if record_size != RECORD.size:
        raise SystemExit(f"error: records of {record_size} bytes in {SECTION}, this script reads {RECORD.size}")
    found = []
    for name, owner, indexed_by, why, offset, size, align, stride, count in RECORD.iter_unpack(table):
        found.append(
            {
                "name": text(name),
                "offset_bytes": offset,
                "size_bytes": size,
                "align_bytes": align,
                "element_stride_bytes": stride,
                "count": count,
                "owner": text(owner),
                "indexed_by": text(indexed_by),
                "why": text(why),
            }
        )
    return found


def main() -> None:
    """Write FOLDER/NAME.manifest.json."""
    name, layout, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    image = (folder / name).read_bytes()
    efi = (folder / f"{name}.efi").read_bytes()
    table = section((folder / f"{name}.elf").read_bytes(), SECTION)
    magic, ready, prompt, version, build_id, cores, block_size, record_size = HEAD.unpack_from(table)
    if text(magic) != MAGIC:
        raise SystemExit(f"error: {SECTION} of {name}.elf does not begin with {MAGIC}")
    if image not in efi or text(build_id).encode() not in image:
        raise SystemExit(f"error: the build id {text(build_id)} is not in {name}")
    manifest = {
        "schema": 1,
        "name": name,
        "version": text(version),
        "layout": layout,
        "format": "pxe-nbp",
        "file": name,
        "size_bytes": len(image),
        "sha256": hashlib.sha256(image).hexdigest(),
        "efi": {"name": f"{name}.efi", "size_bytes": len(efi), "sha256": hashlib.sha256(efi).hexdigest()},
        "build_id": text(build_id),
        "elf": f"{name}.elf",
        "ready_text": text(ready),
        "prompt": text(prompt),
        "max_exclusive_cores": cores,
        "shared_block": {"symbol": "shared", "size_bytes": block_size},
        "shared_structures": shared_structures(table[HEAD.size :], record_size),
    }
    (folder / f"{name}.manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
