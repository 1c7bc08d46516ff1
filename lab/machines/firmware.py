"""The firmware of a virtual machine: QEMU's own BIOS, or UEFI (OVMF, of the Debian package ovmf)."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.errors import LabError
from lab.testbed.boots import Firmware

BOOT_NIC = "boot-nic"
"""QEMU's name of the PXE NIC, by which its place in the boot order can be changed."""

_OVMF = Path("/usr/share/OVMF")
_CODE = _OVMF / "OVMF_CODE_4M.fd"
_VARIABLES = _OVMF / "OVMF_VARS_4M.fd"


def firmware_options(firmware: Firmware, directory: Path) -> list[str]:
    """Return the options of QEMU that give a machine its firmware.

    UEFI keeps its variables in a file in ``directory``, made at the first start: they outlive a power cycle, as those
    of a server do. Without a sleep state S3 OVMF keeps no memory below 10 MiB for itself, where PIX lies; without a
    boot menu it does not wait for a key.

    Raises:
        LabError: UEFI is asked for and OVMF is not installed.

    """
    if firmware == "bios":
        return []
    if not (_CODE.exists() and _VARIABLES.exists()):
        raise LabError(f"UEFI for virtual machines is not installed ({_CODE} is missing): run 'apt-get install ovmf'")
    variables = directory / "uefi-variables"
    if not variables.exists():
        shutil.copyfile(_VARIABLES, variables)
    flash = "if=pflash,format=raw"
    return [
        *("-drive", f"{flash},unit=0,readonly=on,file={_CODE}"),
        *("-drive", f"{flash},unit=1,file={quoted(variables)}"),
        *("-global", "PIIX4_PM.disable_s3=1", "-boot", "menu=off"),
    ]


def boot_nic_options(firmware: Firmware, netdev: str, mac: str, slot: int, *, first: bool = True) -> list[str]:
    """Return the options of QEMU that make the PXE NIC of a machine.

    Args:
        firmware: a BIOS boots by the NIC's own ROM, which is iPXE; UEFI by itself, as most servers do, and has a driver
            for virtio-net. That is a card as the data ports are: the image must tell it from them.
        netdev: the id of what it is plugged into.
        mac: its address.
        slot: its PCI device number.
        first: whether the machine boots from it; if not, it is in no boot order.

    """
    where = f"id={BOOT_NIC},netdev={netdev},mac={mac},addr={slot:#x}" + (",bootindex=0" if first else "")
    if firmware == "bios":
        return ["-device", f"e1000,{where}"]
    return ["-device", f"virtio-net-pci,disable-legacy=on,romfile=,{where}"]


def quoted(path: Path) -> str:
    """Write a path as the value of an option: QEMU separates options by commas, and takes two for one."""
    return str(path).replace(",", ",,")
