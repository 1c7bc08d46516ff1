"""Each kind of console, through the real software that racks have, to a machine that loses what it cannot take."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from lab.errors import DutError
from lab.machines.consoles import line as line_module
from lab.machines.consoles import open_console, sol
from lab.machines.deadline import Deadline
from lab.machines.protocol import ConsoleLink
from lab.rackbox.child import Child
from lab.rackbox.ipmi_sim import IpmiSim
from lab.testbed.access import Credentials
from lab.testbed.consoles import AnyConsole, SerialConsole, SolConsole, TcpConsole, TelnetConsole
from lab.testbed.secrets import Login
from tests.machines.consoles.far_ends import Ser2net, SerialMachine, free_port

KINDS = ("serial", "tcp", "telnet", "sol")


class Rack(NamedTuple):
    """A machine, its console's description, and what starts the server between them (None: there is none)."""

    machine: SerialMachine
    console: AnyConsole
    server: Callable[[], Child] | None


@pytest.fixture
def rack(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rack]:
    with ExitStack() as stack:
        machine = SerialMachine()
        stack.callback(machine.close)
        yield _rack(request.param, machine, tmp_path, monkeypatch)


def _rack(kind: str, machine: SerialMachine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Rack:
    port = free_port(socket.SOCK_DGRAM if kind == "sol" else socket.SOCK_STREAM)
    if kind == "serial":
        return Rack(machine, SerialConsole(driver="serial", device=machine.device), None)
    if kind == "sol":
        monkeypatch.setenv("BMC_LOGIN", "operator:secret-word")
        account = Login("operator", "secret-word")
        console = SolConsole(
            driver="sol", address="127.0.0.1", port=port, credentials=Credentials(environment="BMC_LOGIN")
        )
        return Rack(
            machine,
            console,
            lambda: IpmiSim(
                folder / "bmc",
                address="127.0.0.1",
                port=port,
                login=account,
                program=["true"],
                sol=str(machine.device),
            ),
        )
    telnet = kind == "telnet"
    model = TelnetConsole if telnet else TcpConsole
    return Rack(
        machine,
        model.model_validate({"driver": kind, "address": "127.0.0.1", "port": port}),
        lambda: Ser2net(folder, machine.device, port, telnet=telnet),
    )


class Opened(NamedTuple):
    link: ConsoleLink
    servers: list[Child]


@pytest.fixture
def opened(rack: Rack, tmp_path: Path) -> Iterator[Opened]:
    with ExitStack() as stack:
        servers = [] if rack.server is None else [rack.server()]
        stack.callback(lambda: servers[-1].stop() if servers else None)
        link = open_console(rack.console, tmp_path / "console.log")
        stack.callback(link.close)
        yield Opened(link, servers)


def await_remark(log: Path, remark: str) -> None:
    deadline = Deadline(10)
    while remark not in log.read_text():
        assert not deadline.passed, log.read_text()
        time.sleep(0.01)


def await_heard(machine: SerialMachine, text: bytes) -> None:
    deadline = Deadline(10)
    while text not in machine.heard:
        assert not deadline.passed, machine.heard
        time.sleep(0.01)


@pytest.mark.parametrize("rack", KINDS, indirect=True)
def test_long_commands_and_all_bytes_get_through(rack: Rack, opened: Opened, tmp_path: Path) -> None:
    command = "~route " + " ".join(f"198.18.{number}.0/24" for number in range(20))
    began_s = time.time()
    opened.link.write(command + "\r")
    answer = opened.link.read_until("pix> ", Deadline(10))
    assert rack.machine.lost_bytes == 0
    assert rack.machine.heard.decode() == command + "\r"
    assert answer == f"{command}\r\n{command.upper()}\r\npix> "
    rack.machine.say(b"all" + bytes(range(256)) + b"\r\nend\r\n")
    opened.link.read_until("end", Deadline(10))
    opened.link.close()
    opened.link.close()
    lines = (tmp_path / "console.log").read_text(encoding="ascii").splitlines()
    stamped = [re.fullmatch(r"(\d{10}\.\d{6}) (.*)", line) for line in lines]
    assert all(stamped), lines
    times_s = [float(line[1]) for line in stamped if line]
    assert times_s == sorted(times_s)
    assert began_s <= times_s[0] <= times_s[-1] <= time.time()
    text = "\n".join(line[2] for line in stamped if line)
    assert command.upper() in text
    assert text.count(r"\xff") == text.count(r"\x00") == 1, "255 is telnet's own byte"
    assert r"\x7f\x80\x81" in text


@pytest.mark.parametrize("rack", ("tcp", "telnet"), indirect=True)
def test_a_console_server_that_is_restarted_is_had_again_in_mid_reading(
    rack: Rack, opened: Opened, tmp_path: Path
) -> None:
    assert rack.server is not None
    rack.machine.say(b"first half,")
    opened.link.read_until("first half,", Deadline(5))
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(opened.link.read_until, "second half", Deadline(10))
        opened.servers[0].stop()
        time.sleep(0.4)  # an attempt is refused meanwhile
        opened.servers.append(rack.server())
        await_remark(tmp_path / "console.log", "connected again")
        opened.link.write("?")
        await_heard(rack.machine, b"?")
        rack.machine.say(b" second half\r\n")
        assert reading.result().endswith("? second half")
    log = (tmp_path / "console.log").read_text()
    assert re.search(
        r"first half,\n\d+\.\d+ \[lab: the connection is lost: .*\]\n\d+\.\d+ \[lab: connected again\]", log
    )


@pytest.mark.parametrize("rack", ("sol",), indirect=True)
def test_a_controller_that_was_reset_is_noticed_in_silence(
    rack: Rack, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "_SILENCE_S", 0.2)
    assert rack.server is not None
    opened.servers[0].stop()
    opened.servers.append(rack.server())
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(opened.link.read_until, "after the reset", Deadline(10))
        await_remark(tmp_path / "console.log", "connected again")
        rack.machine.say(b"after the reset\r\n")
        reading.result()
    assert "the controller has ended the session" in (tmp_path / "console.log").read_text()


@pytest.mark.parametrize("rack", ("sol",), indirect=True)
def test_a_session_of_another_is_taken_and_both_sides_say_so(
    rack: Rack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rack.server is not None
    monkeypatch.setattr(sol, "RETRIES", 1)
    with ExitStack() as stack:
        stack.enter_context(rack.server())
        first = open_console(rack.console, tmp_path / "first.log", reconnect_s=0)
        stack.callback(first.close)
        second = open_console(rack.console, tmp_path / "second.log")
        stack.callback(second.close)
        second.write("mine\r")
        second.read_until("MINE", Deadline(5))
        remark = "[lab: another session has the console: it is deactivated and taken]"
        assert remark in (tmp_path / "second.log").read_text()
        first.write("not any more\r")
        with pytest.raises(DutError, match="the console is gone: the controller takes no characters any more"):
            first.read_until("pix> ", Deadline(10))
    assert b"any more" not in rack.machine.heard
