"""A fault in ring 3 costs the program that made it, not the machine."""

from __future__ import annotations

import time
from pathlib import Path

from elftools.elf.elffile import ELFFile

from tests.image.debugger import jump
from tests.image.machine import Machine
from tests.image.router import Router, datagram

QGM_CORE = 1


def symbol(elf: Path, name: str) -> int:
    """Return the address of a symbol."""
    with elf.open("rb") as file:
        address: int = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(name)[0]["st_value"]
    return address


def test_qgm_that_faults_is_reported_and_can_be_started_again(machine: Machine, built: Path) -> None:
    """It is sent into the kernel's text, which ring 3 must not run."""
    (version,) = machine.objects("version")
    kernel = symbol(built / f"{version['name']}.elf", "kernel_main")
    router = Router(machine)
    jump(machine.debugger, QGM_CORE, kernel)
    report = machine.read_line_that_begins(b"error: fault ")
    assert f"in ring 3 of core {QGM_CORE}" in report
    assert f"address {kernel:x}" in report
    deadline = time.monotonic() + 5.0
    while machine.objects("cores")[QGM_CORE]["state"] != "faulted":  # said first, then noted
        assert time.monotonic() < deadline
    machine.ok("stop")
    router.start()
    router.clear()
    router.send(datagram())
    assert router.receive().ttl == 63
    router.require_balance()
