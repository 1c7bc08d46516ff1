"""iPXE: its scripts (https://ipxe.org/scripting), and itself as a program for a PXE ROM that cannot run them."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from lab.netboot.trail import Firmware

_FOLDER = Path("/usr/lib/ipxe")  # of the Debian package ipxe
_PROGRAMS: dict[Firmware, str] = {"bios": "undionly.kpxe", "uefi": "ipxe.efi"}
_SCRIPT_MARK = b"#!ipxe"


def is_script(content: Path | str) -> bool:
    """Return whether a file or a text is a script of iPXE."""
    if isinstance(content, str):
        return content.startswith(_SCRIPT_MARK.decode())
    with content.open("rb") as file:
        return file.read(len(_SCRIPT_MARK)) == _SCRIPT_MARK


def program(firmware: Firmware) -> Path | None:
    """Return the iPXE that such a server can load; None where the package is not installed."""
    path = _FOLDER / _PROGRAMS[firmware]
    return path if path.is_file() else None


def script(url: str, beside: str | None, server: str, said: str) -> str:
    """Write a script that starts a program.

    What it starts asks PXE by which name it came, and by TFTP for the files beside it (PXE 2.1, PXENV_GET_CACHED_INFO).
    PXE would name what DHCP named, the script, unless the script says otherwise.

    Args:
        url: of the program.
        beside: by what name TFTP has it; None where no TFTP server has it.
        server: that TFTP server; left to DHCP's next server where it is no IPv4 address.
        said: a line of comment.

    """
    lines = [_SCRIPT_MARK.decode(), said]
    if beside is not None:
        with suppress(AddressValueError):
            lines.append(f"set netX/next-server {IPv4Address(server)}")
        lines.append(f"set netX/filename {beside}")
    return "\n".join([*lines, f"chain {url}", ""])
