"""Power by Redfish, with the controller of sushy-tools."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError, TestbedUnreachable, UsageError
from lab.machines.power import connect, redfish
from lab.rackbox.redfish import RedfishEmulator
from lab.testbed.power import RedfishPower
from tests.machines.power.machine import LOGIN, SECRET, Machine, credentials, free_port


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine(tmp_path_factory.mktemp("redfish") / "machine") as described:
        yield described


@pytest.fixture(scope="module")
def controller(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedfishEmulator, int]]:
    port = free_port(socket.SOCK_STREAM)
    folder = tmp_path_factory.mktemp("bmc")
    with RedfishEmulator(folder, address="127.0.0.1", port=port, login=LOGIN, program=machine.program) as running:
        yield running, port


@pytest.fixture
def power(controller: tuple[RedfishEmulator, int], tmp_path: Path) -> RedfishPower:
    running, port = controller
    return RedfishPower(
        driver="redfish",
        address="127.0.0.1",
        port=port,
        certificate=running.certificate,
        credentials=credentials(tmp_path, f"{LOGIN.user}:{SECRET}"),
        limit_s=5,
    )


def with_(power: RedfishPower, **values: object) -> RedfishPower:
    return power.model_copy(update=values)


def test_a_server_is_switched_and_boots_from_the_network_once(machine: Machine, power: RedfishPower) -> None:
    before = len(machine.told)
    server = connect(power)
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
    assert machine.told[before:] == ["boot pxe", "on", "reset", "off", "on", "off"]


def test_power_that_does_not_change_is_told(machine: Machine, power: RedfishPower) -> None:
    with machine.stuck(), pytest.raises(LabError, match=r"the power is still off, 0.3 s after it was asked to be on"):
        connect(with_(power, limit_s=0.3)).on()


def test_a_request_that_fails_is_told(machine: Machine, power: RedfishPower) -> None:
    server = connect(power)
    server.state()
    with (
        machine.broken(),
        pytest.raises(LabError, match=r"the request 'boot from the network' failed: HTTP 500: .*code 3") as caught,
    ):
        server.boot_from_network()
    assert caught.value.exit_code == LabError.exit_code
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [f"{LOGIN.user}:wrong-{SECRET}", f"nobody:{SECRET}"])
def test_a_wrong_login_is_told_without_it(power: RedfishPower, tmp_path: Path, text: str) -> None:
    with pytest.raises(TestbedUnreachable, match="the login is refused") as caught:
        connect(with_(power, credentials=credentials(tmp_path, text))).state()
    assert SECRET not in str(caught.value)


def test_a_certificate_that_is_not_known_is_told(power: RedfishPower, tmp_path: Path) -> None:
    with pytest.raises(TestbedUnreachable, match="certificate that is not to be trusted"):
        connect(with_(power, certificate=None)).state()
    with pytest.raises(UsageError, match="there is no certificate"):
        connect(with_(power, certificate=tmp_path / "none.pem")).state()
    assert connect(with_(power, certificate=None, insecure=True)).state() == "off"


def test_a_system_that_is_not_there_is_told(power: RedfishPower) -> None:
    assert connect(with_(power, system="dut")).state() == "off"
    with pytest.raises(UsageError, match=r"has no system 'dut2': did you mean 'dut'\?"):
        connect(with_(power, system="dut2")).state()


def test_a_controller_that_is_not_there_is_told(power: RedfishPower) -> None:
    with pytest.raises(TestbedUnreachable, match="refuses connections"):
        connect(with_(power, port=free_port(socket.SOCK_STREAM))).state()
    with pytest.raises(TestbedUnreachable, match="is not known by that name"):
        connect(with_(power, address="bmc.invalid")).state()
    with pytest.raises(TestbedUnreachable, match=r"does not speak TLS|does not answer"):
        connect(with_(power, scheme="http")).state()


def test_a_controller_that_falls_silent_is_told(
    controller: tuple[RedfishEmulator, int], power: RedfishPower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redfish, "_CONNECT_LIMIT_S", 0.5)
    monkeypatch.setattr(redfish, "_ANSWER_LIMIT_S", 0.5)
    server = connect(power)
    assert server.state() == "off"
    os.kill(controller[0].pid, signal.SIGSTOP)
    try:
        with pytest.raises(TestbedUnreachable, match="does not answer"):
            server.on()
    finally:
        os.kill(controller[0].pid, signal.SIGCONT)


def test_a_controller_without_tls_is_spoken_to(machine: Machine, power: RedfishPower, tmp_path: Path) -> None:
    port = free_port(socket.SOCK_STREAM)
    with RedfishEmulator(
        tmp_path / "bmc", address="127.0.0.1", port=port, login=LOGIN, program=machine.program, https=False
    ):
        assert connect(with_(power, scheme="http", certificate=None, port=port)).state() == "off"


def test_the_controller_keeps_its_password_to_itself(controller: tuple[RedfishEmulator, int]) -> None:
    running = controller[0]
    assert SECRET.encode() not in Path(f"/proc/{running.pid}/cmdline").read_bytes()
    files = [file for file in running.certificate.parent.rglob("*") if file.is_file()]
    assert all(SECRET.encode() not in file.read_bytes() for file in files)
    assert running.certificate in files
