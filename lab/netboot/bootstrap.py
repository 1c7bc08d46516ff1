"""iPXE as a program, for a server whose PXE ROM cannot run an iPXE script itself."""

from __future__ import annotations

from pathlib import Path

from lab.netboot.trail import Firmware

_FOLDER = Path("/usr/lib/ipxe")  # of the Debian package ipxe
_PROGRAMS: dict[Firmware, str] = {"bios": "undionly.kpxe", "uefi": "ipxe.efi"}
_SCRIPT_MARK = b"#!ipxe"


def is_script(content: Path | str) -> bool:
    """Return whether a file or a text is a script of iPXE (https://ipxe.org/scripting)."""
    if isinstance(content, str):
        return content.startswith(_SCRIPT_MARK.decode())
    with content.open("rb") as file:
        return file.read(len(_SCRIPT_MARK)) == _SCRIPT_MARK


def program(firmware: Firmware) -> Path | None:
    """Return the iPXE that such a server can load; None where the package is not installed."""
    path = _FOLDER / _PROGRAMS[firmware]
    return path if path.is_file() else None
