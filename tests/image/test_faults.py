"""A fault in ring 3 costs the program that made it, not the machine."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.image import boot_disk
from tests.image.debugger import jump
from tests.image.frames import LINKS, Datagram
from tests.image.machine import Machine
from tests.image.router import Router, datagram, require_balance, start

QGM_CORE = 1


@pytest.fixture(params=["padded", "packed"])
def machine(request: pytest.FixtureRequest, built: Path, tmp_path: Path) -> Iterator[Machine]:
    with boot_disk.booted(built / f"pix-{request.param}", tmp_path) as booted:
        yield booted


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


def test_other_qgms_go_on_when_one_faults(built: Path, tmp_path: Path) -> None:
    """They forward between their own ports, and drop what would have left by those of the one that is gone."""
    with boot_disk.booted(built / "pix-padded", tmp_path, ports=len(LINKS), cores=3) as machine:
        for link in LINKS:
            machine.ok(f"qgm add {1 + link.port % 2} {link.port}")
            machine.ok(f"addr add {link.port} {link.router}/24")
            machine.ok(f"neigh add {link.port} {link.tester} {link.tester_mac}")
        machine.ok("set ring_length 2")
        start(machine, {link.port: link.router for link in LINKS})
        jump(machine.debugger, QGM_CORE, symbol(built / "pix-padded.elf", "kernel_main"))
        assert f"in ring 3 of core {QGM_CORE}" in machine.read_line_that_begins(b"error: fault ")
        lost, alive = LINKS[0], LINKS[1:4:2]
        for _ in range(10):
            machine.send(alive[0].port, Datagram(alive[0], lost, -1, 64, b"", 100).frame(0))
        for source, target in itertools.permutations(alive):
            passed = Datagram(source, target, -1, 64, b"", 100)
            machine.send(source.port, passed.frame(1))
            assert machine.receive(target.port) == passed.forwarded(1)
        assert machine.objects("counters")[alive[0].port]["drops"]["ring_full"] == 8
        machine.ok("stop")
        require_balance(machine)
        start(machine, {link.port: link.router for link in LINKS})
        for source, target in itertools.permutations(LINKS, 2):
            passed = Datagram(source, target, -1, 64, b"", 100)
            machine.send(source.port, passed.frame(2))
            assert machine.receive(target.port) == passed.forwarded(2)
