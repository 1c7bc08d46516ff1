"""A rack is asked from ping to link: what does not answer is named in one line, in time; what answers, passes."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from lab import paths
from lab.errors import TestbedQuarantined, TestbedUnreachable
from lab.testbed import Testbed, health, lease, load, probes, schema
from lab.testbed.access import Credentials
from lab.testbed.boots import PxeBoot
from lab.testbed.consoles import QemuConsole
from lab.testbed.power import CommandPower, IpmiPower
from lab.testbed.resources import Server, SshLease, TrexHost, TrexRelease
from tests.machines.sshd import Sshd


def rack(dut: Mapping[str, object], trex: TrexHost, **values: object) -> Testbed:
    """Put parts of the rack of lab2 on this machine."""
    testbed = load("lab2")
    nodes = {
        "dut": testbed.dut.model_copy(update={"machine": testbed.dut.machine.model_copy(update=dut)}),
        "trex": testbed.generator.model_copy(update={"machine": trex}),
    }
    return testbed.model_copy(update={"nodes": nodes, **values})


def on_loopback() -> PxeBoot:
    machine = load("lab2").dut.machine
    assert isinstance(machine, Server)
    assert isinstance(machine.boot, PxeBoot)
    return machine.boot.model_copy(update={"interface": "lo"})


def test_an_absent_rack_is_a_complete_table_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXLAB_LAB2_BMC", "user:secret")
    command = [sys.executable, "-m", "lab.cli", "testbed", "check", "lab2"]
    begun_s = time.monotonic()
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, timeout=60, check=False)
    took_s = time.monotonic() - begun_s
    assert took_s < 15.0  # a limit that the lab sets itself, not a rate of this machine
    assert done.returncode == TestbedUnreachable.exit_code
    assert len(done.stderr.splitlines()) == 1
    rows = [line.split("  ") for line in done.stdout.splitlines()[1:]]
    assert {row[0].strip() for row in rows} == {"dut", "trex"}
    told = done.stdout
    for part in ("dut-bmc.lab2.example", "power", "console", "interface boot-lab2", "trex.lab2.example", "ping"):
        assert part in told
    assert told.count("FAILED") == len(rows)
    assert "secret" not in done.stdout + done.stderr


def test_silent_machines_do_not_hold_it_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        power = IpmiPower(driver="ipmi", address="127.0.0.1", port=port, credentials=Credentials(command="echo a:b"))
        trex = TrexHost(driver="trex-host", address="127.0.0.1", rpc_port=1, async_port=1)
        begun_s = time.monotonic()
        asked = health.check(rack({"power": power, "boot": on_loopback()}, trex), limit_s=1.0)
        assert time.monotonic() - begun_s < 5
    problems = {(one.node, one.what): one.problem for one in asked}
    assert problems["dut", "BMC"] == "no answer within 1 s"
    assert problems["dut", "ping of the controller"] == problems["trex", "ping"] == ""
    assert problems["dut", "boot network"] == ""
    assert "refused" in problems["trex", "TRex RPC"]


def test_what_answers_passes(tmp_path: Path) -> None:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.bind(str(tmp_path / "console"))
    line.listen()
    tarball = tmp_path / "v3.08.tar.gz"
    tarball.write_bytes(b"12")
    with line, Sshd(tmp_path) as sshd:
        threading.Thread(target=line.accept, daemon=True).start()
        release = TrexRelease(version="v3.08", folder="/opt/trex", tarball=str(tarball), sha256="0" * 64)
        trex = TrexHost(driver="trex-host", address="127.0.0.1", ssh=sshd.access(), release=release)
        power = CommandPower(driver="command", on="true", off="true", state="echo on")
        console = QemuConsole(driver="qemu", path=tmp_path / "console")
        dut = {"power": power, "console": console, "boot": on_loopback()}
        bed = rack(dut, trex, lease=SshLease(driver="ssh", ssh=sshd.access(), directory=str(tmp_path)))
        asked = {(one.node, one.what): one for one in health.check(bed)}
    cards = asked.pop(("trex", "ports"))  # this machine has none
    assert cards.problem.count("no such card") == 8
    assert not [one for one in asked.values() if one.problem]
    assert asked["dut", "power"].detail == "is on"
    assert asked["trex", "TRex release"].detail == "2 bytes"


def test_a_rack_that_fails_is_set_aside_until_it_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line, socket.create_server(("127.0.0.1", 0)) as trex:
        line.bind(str(tmp_path / "console"))
        line.listen()
        dut = {
            "power": CommandPower(driver="command", on="true", off="true", state="echo on"),
            "console": QemuConsole(driver="qemu", path=tmp_path / "console"),
            "boot": on_loopback(),
        }
        for port, well in ((1, False), (trex.getsockname()[1], True)):
            bed = rack(dut, TrexHost(driver="trex-host", address="127.0.0.1", rpc_port=port, async_port=port))
            if well:
                health.require(bed)
                continue
            with pytest.raises(TestbedUnreachable, match=r"TRex RPC .*refused"):
                health.require(bed)
            with pytest.raises(TestbedQuarantined, match=r"its health check failed: .*TRex RPC"), lease.take(bed, "x"):
                pass
        with lease.take(bed, "x"):
            pass
        lease.quarantine(bed, "2 boots failed")
        health.require(bed)
        with pytest.raises(TestbedQuarantined, match="2 boots failed"), lease.take(bed, "x"):
            pass


def test_a_virtual_testbed_asks_nobody() -> None:
    assert health.check(load("virtual")) == ()


def test_an_interface_that_is_not_there_or_down_says_so() -> None:
    client = on_loopback().address
    with pytest.raises(OSError, match="no such network interface"):
        probes.interface("none0", client)


def test_the_exported_schema_is_that_of_the_model_and_takes_the_testbeds() -> None:
    import jsonschema
    import yaml

    assert schema.PATH.read_text(encoding="utf-8") == schema.text(), "run: python -m lab.testbed.schema"
    for file in sorted(paths.TESTBEDS.glob("*.yaml")):
        data = json.loads(json.dumps(yaml.safe_load(file.read_text(encoding="utf-8"))))
        jsonschema.validate(data, schema.schema())
