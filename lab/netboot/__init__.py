"""What a server boots from: a boot service of the lab for one server, or files on a boot server that is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lab.errors import UsageError
from lab.netboot import bootstrap, place
from lab.netboot.boot_server import PlacedFiles
from lab.netboot.place import Enter, here
from lab.netboot.protocol import BootSource
from lab.netboot.service import BootService
from lab.testbed.boots import AnyBoot, BootServer

__all__ = ["open_source"]

_EFI_SUFFIX = ".efi"


def open_source(
    boot: AnyBoot, files: Mapping[str, Path | str], directory: Path, log: Path, *, enter: Enter = here
) -> BootSource:
    """Have a server boot the first of some files, until what is returned is closed.

    Args:
        boot: as the testbed has it.
        files: by the name under which each is served, a file or a text; the first is what boots: what the server's
            firmware starts, or an iPXE script.
        directory: an existing folder of the lab's own, for served copies.
        log: what is served is logged there.
        enter: makes a command run where ``boot.interface`` is.

    Raises:
        UsageError: the files do not fit the server's firmware, or the testbed does not fit this machine.
        LabError: it cannot be served.

    """
    _check_firmware(boot, files)
    if isinstance(boot, BootServer):
        return PlacedFiles(boot, files, log)
    client = boot.address if boot.mode == "own" else None
    where = place.find(boot.interface, client, enter)
    return BootService(where, files, boot.mac, directory, log, firmware=boot.firmware, transfer=boot.transfer)


def _check_firmware(boot: AnyBoot, files: Mapping[str, Path | str]) -> None:
    """Raise UsageError where the first file is of the other kind of firmware."""
    name, content = next(iter(files.items()))
    if bootstrap.is_script(content):
        return
    if boot.firmware == "uefi" and not name.endswith(_EFI_SUFFIX):
        raise UsageError(
            f"{name!r} is no EFI application (its name does not end in {_EFI_SUFFIX}), but the testbed says firmware: "
            "uefi: take an image that has one, or set the server and the testbed to bios"
        )
    if boot.firmware == "bios" and name.endswith(_EFI_SUFFIX):
        raise UsageError(f"{name!r} is an EFI application, but the testbed says firmware: bios: set it to uefi")
