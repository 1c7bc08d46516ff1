"""Power by commands, and what all drivers share: nothing is asked that is so already, and what is asked is seen."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.machines.power import connect
from lab.testbed.power import CommandPower
from tests.machines.power.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine(tmp_path / "it's a machine") as described:
        yield described


def power(machine: Machine, **values: object) -> CommandPower:
    call = shlex.join(machine.program)
    given = {"driver": "command", "on": f"{call} on", "off": f"{call} off", "state": f"{call} state", "limit_s": 5.0}
    return CommandPower.model_validate({**given, **values})


def test_a_server_is_switched(machine: Machine) -> None:
    server = connect(power(machine))
    assert server.state() == "off"
    server.off()
    server.on()
    server.on()
    assert (server.state(), machine.state, machine.told) == ("on", "on", ["on"])
    server.off()
    server.cycle()
    assert (machine.state, machine.told) == ("on", ["on", "off", "on"])
    server.cycle()
    assert machine.told == ["on", "off", "on", "off", "on"]
    server.close()


def test_without_commands_for_them_a_reset_is_a_cycle_and_the_boot_order_is_left(machine: Machine) -> None:
    server = connect(power(machine))
    server.boot_from_network()
    server.reset()
    assert machine.told == ["on"]
    server.reset()
    assert machine.told == ["on", "off", "on"]


def test_commands_for_reset_and_boot_order_are_run(machine: Machine) -> None:
    call = shlex.join(machine.program)
    server = connect(power(machine, reset=f"{call} reset", boot_from_network=f"{call} boot pxe"))
    server.boot_from_network()
    server.on()
    server.reset()
    assert machine.told == ["boot pxe", "on", "reset"]


def test_power_that_does_not_change_is_told(machine: Machine) -> None:
    server = connect(power(machine, limit_s=0.3))
    with machine.stuck(), pytest.raises(LabError, match=r"still off, 0.3 s after it was asked to be on: look at"):
        server.cycle()
    server.on()
    with machine.stuck(), pytest.raises(LabError, match=r"still on, 0.3 s after it was asked to be off"):
        server.cycle()
    assert machine.told == ["on", "on", "off"]  # a server that does not go off is not switched on


def test_a_command_that_fails_is_told(machine: Machine) -> None:
    server = connect(power(machine))
    with machine.broken(), pytest.raises(LabError, match=r"ended with code 3: it said nothing"):
        server.on()
    with pytest.raises(LabError, match=r"the command \"sh -c .* ended with code 1: the last line"):
        connect(power(machine, state="sh -c 'echo a line >&2; echo the last line >&2; exit 1'")).state()
    with pytest.raises(LabError, match=r"printed 'maybe': it must print on or off"):
        connect(power(machine, state="echo maybe")).state()
    with pytest.raises(LabError, match=r"'/nonexistent/program' cannot be run: "):
        connect(power(machine, state="/nonexistent/program")).state()
    with pytest.raises(LabError, match=r"cannot be run: No closing quotation"):
        connect(power(machine, state="echo 'on")).state()


def test_a_command_that_hangs_is_ended_with_what_it_started(machine: Machine, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    hangs = f"sh -c 'sleep 600 & echo $! > {pid_file}; wait'"
    with pytest.raises(LabError, match=r"did not end within 0.5 s"):
        connect(power(machine, state=hangs, limit_s=0.5)).state()
    left = Path(f"/proc/{pid_file.read_text().strip()}/stat")
    for _ in range(200):
        if not left.exists() or left.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return
        time.sleep(0.01)
    raise AssertionError("what the command started goes on")


def test_a_command_may_leave_something_in_the_background(machine: Machine, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    left = f"sh -c 'sleep 600 & echo $! > {pid_file}; echo on'"  # which has the command's output open
    assert connect(power(machine, state=left)).state() == "on"
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
