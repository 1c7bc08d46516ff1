"""A fuzzer's corpus in one file, each input behind its size: ``corpus.py unpack|pack FILE FOLDER``."""

from __future__ import annotations

import hashlib
import struct
import sys
from pathlib import Path


def unpack(file: Path, folder: Path) -> None:
    """Write each input of the file into the folder, under its digest as libFuzzer does."""
    data = file.read_bytes()
    while data:
        (size,) = struct.unpack_from("<H", data)
        one, data = data[2 : 2 + size], data[2 + size :]
        (folder / hashlib.sha1(one).hexdigest()).write_bytes(one)


def pack(file: Path, folder: Path) -> None:
    """Write the inputs in the folder into the file, smallest first."""
    inputs = sorted((path.read_bytes() for path in folder.iterdir()), key=lambda one: (len(one), one))
    file.write_bytes(b"".join(struct.pack("<H", len(one)) + one for one in inputs))


if __name__ == "__main__":
    _, what, first, second = sys.argv
    {"unpack": unpack, "pack": pack}[what](Path(first), Path(second))
