"""What goes wrong on the way to a booted server: one line that says what, and power left as the testbed says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import images
from lab.dut.deploy import deploy
from lab.errors import DutError, TestbedQuarantined
from lab.errors import TestbedUnreachable as Unreachable
from lab.machines import power
from lab.rackbox import raised
from lab.testbed import Testbed, lease, load
from lab.testbed.boots import PxeBoot
from lab.testbed.consoles import TcpConsole
from lab.testbed.resources import Server

READY_LIMIT_S = 6.0
"""Enough for a firmware of the box to ask for an address."""


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Testbed]:
    with raised(load("rackbox"), tmp_path_factory.mktemp("run")):
        yield load("rackbox")


def server(bed: Testbed) -> Server:
    machine = bed.dut.machine
    assert isinstance(machine, Server)
    return machine


def altered(bed: Testbed, **values: Any) -> Testbed:
    """Return the testbed with a server that is tried once, for a short time, and is another in these values."""
    machine = server(bed).model_copy(update={"ready_limit_s": READY_LIMIT_S, "boot_attempts": 1, **values})
    return bed.model_copy(update={"nodes": {**bed.nodes, "dut": bed.dut.model_copy(update={"machine": machine})}})


def try_to_boot(bed: Testbed, run_dir: Path) -> None:
    with deploy(bed, images.find("pix-padded"), vhost_sockets=[], run_dir=run_dir, progress=lambda _step: None):
        raise AssertionError("it booted")


def state(bed: Testbed) -> str:
    driver = power.connect(server(bed).power)
    try:
        return driver.state()
    finally:
        driver.close()


def of_another_machine(boot: Any) -> PxeBoot:
    assert isinstance(boot, PxeBoot)
    return boot.model_copy(update={"mac": "52:54:00:12:0b:fe"})


def test_a_server_whose_dhcp_is_not_answered(bed: Testbed, tmp_path: Path) -> None:
    wrong = altered(bed, boot=of_another_machine(server(bed).boot), when_failed="off")
    with pytest.raises(DutError, match="no DHCP request came from 52:54:00:12:0b:fe") as told:
        try_to_boot(wrong, tmp_path)
    assert "\n" not in str(told.value)
    assert "iPXE" in str(told.value), "the last lines of its console"
    assert state(bed) == "off"


def test_a_server_that_never_boots_is_set_aside_until_it_is_mended(
    bed: Testbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path))
    wrong = altered(bed, boot=of_another_machine(server(bed).boot), ready_limit_s=1.0, boot_attempts=2)
    alone = wrong.model_copy(update={"box": None})  # what is in a box is made anew for each run
    steps: list[str] = []
    image = images.find("pix-padded")
    with (
        pytest.raises(DutError, match="no DHCP request"),
        deploy(alone, image, vhost_sockets=[], run_dir=tmp_path, progress=steps.append),
    ):
        pass
    assert sum("boot 1 of 2 failed" in step for step in steps) == 1
    assert state(bed) == "on", "it is left as it is, for whoever looks"
    with (
        pytest.raises(TestbedQuarantined, match="2 boots failed: pix-padded did not get ready"),
        lease.take(alone, "x"),
    ):
        pass
    lease.restore(alone)
    with lease.take(alone, "x"):
        pass


def test_what_is_not_there_is_named_before_anything_is_switched(bed: Testbed, tmp_path: Path) -> None:
    before = state(bed)
    wrong = altered(bed, console=TcpConsole(driver="tcp", address="198.51.100.2", port=1))
    with pytest.raises(Unreachable, match=r"the console .*refused") as caught:
        try_to_boot(wrong, tmp_path)
    assert "\n" not in str(caught.value)
    assert state(bed) == before
