"""Power by IPMI, with OpenIPMI's own controller."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyghmi.ipmi.command import Command

from lab.errors import LabError, TestbedUnreachable, UsageError
from lab.machines.power import connect, ipmi
from lab.rackbox.ipmi_sim import IpmiSim
from lab.testbed.power import IpmiPower
from lab.testbed.secrets import Login
from tests.machines.power.machine import LOGIN, SECRET, Machine, credentials, free_port


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine(tmp_path / "machine") as described:
        yield described


@pytest.fixture
def power(tmp_path: Path) -> IpmiPower:
    secret = credentials(tmp_path, f"{LOGIN.user}:{SECRET}")
    return IpmiPower(
        driver="ipmi", address="127.0.0.1", port=free_port(socket.SOCK_DGRAM), credentials=secret, limit_s=5
    )


@pytest.fixture
def controller(machine: Machine, power: IpmiPower, tmp_path: Path) -> Iterator[IpmiSim]:
    with IpmiSim(
        tmp_path / "bmc", address=power.address, port=power.port, login=LOGIN, program=machine.program
    ) as running:
        yield running


def with_(power: IpmiPower, **values: object) -> IpmiPower:
    return power.model_copy(update=values)


@pytest.mark.usefixtures("controller")
def test_a_server_is_switched_and_boots_from_the_network_once(machine: Machine, power: IpmiPower) -> None:
    server = connect(power, firmware="uefi")
    server.boot_from_network()
    server.on()
    assert machine.state == "on"
    server.reset()
    server.cycle()
    assert machine.state == "on"
    server.off()
    server.close()
    server.close()
    assert machine.state == "off"
    assert machine.told == ["boot pxe", "on", "reset", "off", "on", "off"]


@pytest.mark.usefixtures("controller")
def test_power_that_does_not_change_is_told(machine: Machine, power: IpmiPower) -> None:
    stuck = r"the power is still off, 0.3 s after it was asked to be on"
    with machine.stuck(), pytest.raises(LabError, match=stuck) as caught:
        connect(with_(power, limit_s=0.3)).on()
    assert caught.value.exit_code == LabError.exit_code
    assert machine.told == ["on"]


@pytest.mark.usefixtures("controller")
def test_a_request_that_the_controller_refuses_is_told(machine: Machine, power: IpmiPower) -> None:
    refused = r"the BMC 127.0.0.1 .* the request 'state' was refused: "
    with machine.broken(), pytest.raises(LabError, match=refused) as caught:
        connect(power).state()
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize("text", [f"{LOGIN.user}:wrong-{SECRET}", f"nobody:{SECRET}"])
def test_a_wrong_login_is_told_without_it(power: IpmiPower, tmp_path: Path, text: str) -> None:
    with pytest.raises(TestbedUnreachable, match=r"no login: (Incorrect password|Unauthorized name)") as caught:
        connect(with_(power, credentials=credentials(tmp_path, text))).state()
    assert SECRET not in str(caught.value)


def test_a_controller_that_is_not_there_is_told(power: IpmiPower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipmi, "_TRY_LIMIT_S", 0.3)
    with pytest.raises(TestbedUnreachable, match=r"does not answer: check its address"):
        connect(power).state()
    monkeypatch.undo()
    with pytest.raises(TestbedUnreachable, match=r"no login: Name or service not known: check its address"):
        connect(with_(power, address="bmc.invalid")).state()


def test_a_controller_that_falls_silent_is_told(
    controller: IpmiSim, power: IpmiPower, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = connect(power)
    assert server.state() == "off"
    monkeypatch.setattr(ipmi, "_TRY_LIMIT_S", 0.3)
    os.kill(controller.pid, signal.SIGSTOP)
    try:
        with pytest.raises(TestbedUnreachable, match=r"does not answer"):
            server.on()
    finally:
        os.kill(controller.pid, signal.SIGCONT)


@pytest.mark.usefixtures("controller")
def test_a_request_leaves_no_session_behind(power: IpmiPower) -> None:
    """A controller has room for a few; another one in this process goes on."""
    console = Command(power.address, LOGIN.user, SECRET, port=power.port)
    connect(power).state()
    info = console.raw_command(netfn=6, command=0x3D, data=[0])  # Get Session Info (IPMI 2.0, 22.20)
    assert info["data"][2] == 1
    console.ipmi_session.logout()


def test_a_controller_starts_again_beside_the_machine_that_the_first_one_started(
    machine: Machine, power: IpmiPower, tmp_path: Path
) -> None:
    for _ in range(2):
        with IpmiSim(tmp_path / "bmc", address=power.address, port=power.port, login=LOGIN, program=machine.program):
            connect(power).on()
    assert machine.told == ["on"]


def test_the_controller_keeps_its_password_to_itself(controller: IpmiSim, tmp_path: Path) -> None:
    assert SECRET.encode() not in Path(f"/proc/{controller.pid}/cmdline").read_bytes()
    for file in (tmp_path / "bmc").rglob("*"):
        if file.is_file() and SECRET.encode() in file.read_bytes():
            assert file.stat().st_mode & 0o077 == 0, file


def test_the_controller_refuses_a_password_that_it_cannot_take(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="1 to 20 printable characters"):
        IpmiSim(tmp_path, address="127.0.0.1", port=1, login=Login("operator", "two words"), program=["true"])


def test_a_controller_that_does_not_start_says_why(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"ipmi_sim at 192.0.2.1 port 623 ended with code 1: Unable to bind .*"):
        IpmiSim(tmp_path / "bmc", address="192.0.2.1", port=623, login=LOGIN, program=machine.program)
