"""Testbeds that no box can be raised around: one line, which says what is wrong and what to give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from lab.rackbox import design, raised
from lab.testbed import Testbed, load


def _with(**parts: dict[str, Any]) -> Testbed:
    """Return the testbed with other values: ``node__part={...}`` are of a part of a node's machine."""
    data = load("rackbox").model_dump()
    for where, values in parts.items():
        node, _, part = where.partition("__")
        place = data["nodes"][node]["machine"]
        (place[part] if part else place).update(values)
    return Testbed.model_validate(data)


@pytest.mark.parametrize(
    ("bed", "said"),
    [
        (_with(dut__power={"address": "203.0.113.2"}), "'203.0.113.2' is used.*give it an address of 198.51.100.0/24"),
        (_with(dut__power={"address": "bmc.example"}), "'bmc.example' is used"),
        (_with(dut__console={"address": "198.51.100.9"}), "dut.machine.console: it is another controller"),
        (_with(dut__boot={"address": "192.0.2.1"}), "dut.machine.boot.address: it is 192.0.2.1.*another address"),
        (_with(trex={"address": "198.51.100.8"}), "trex.machine.ssh:.*one at 198.51.100.8"),
    ],
)
def test_addresses_are_of_the_box(bed: Testbed, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        design.read(bed, tmp_path)


def test_parts_are_of_the_box(tmp_path: Path) -> None:
    data = load("rackbox").model_dump()
    data["nodes"]["dut"]["machine"]["console"] = {"driver": "tcp", "address": "198.51.100.2", "port": 4000}
    with pytest.raises(UsageError, match=r"console.driver: it is 'tcp'.*give it sol"):
        design.read(Testbed.model_validate(data), tmp_path)
    data = load("rackbox").model_dump()
    data["nodes"]["trex"]["ports"][0]["interface"] = "eth1"
    with pytest.raises(UsageError, match=r"ports.g0.interface of the generator: it is 'eth1'.*vhost:NAME"):
        design.read(Testbed.model_validate(data), tmp_path)


def test_a_testbed_without_a_box_has_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'lab2' has no box"), raised(load("lab2"), tmp_path):
        pass


def test_server_is_what_the_testbed_says(tmp_path: Path) -> None:
    plan = design.read(load("rackbox-uefi"), tmp_path)
    assert (plan.redfish, plan.ipmi) != (None, None)
    assert [cable.socket for cable in plan.hardware.cables] == [tmp_path / "g0", tmp_path / "g1"]
    command = plan.hardware.command((tmp_path / "a", tmp_path / "b"), tmp_path / "serial", network_first=True)
    assert sum("hubport" in word for word in command) == 2  # nobody is at the far end of its cables
    assert not any("vhost-user" in word for word in command)
