"""Consoles that are dead, or die: one line that says which, why, and what came last."""

import fcntl
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import DutError, LabError, TestbedUnreachable
from lab.machines.consoles import line, open_console, sol
from lab.machines.consoles.console import Console
from lab.machines.consoles.log import ConsoleLog
from lab.machines.consoles.stream import DescriptorStream
from lab.machines.deadline import Deadline
from lab.rackbox.ipmi_sim import IpmiSim
from lab.testbed.access import Credentials
from lab.testbed.consoles import QemuConsole, SerialConsole, SolConsole, TcpConsole
from lab.testbed.secrets import Login
from tests.machines.consoles.far_ends import Ser2net, SerialMachine, free_port


class Listener:
    """A console server of the test's own on 127.0.0.1: says something to each caller, and hangs up where told."""

    def __init__(self, says: bytes, hangs_up: bool) -> None:
        self.callers: list[socket.socket] = []
        self._says, self._hangs_up = says, hangs_up
        self._server = socket.create_server(("127.0.0.1", 0))
        self.console = TcpConsole(driver="tcp", address="127.0.0.1", port=self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._server.accept()
            except OSError:
                return
            self.callers.append(caller)
            caller.sendall(self._says)
            if self._hangs_up:
                caller.close()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for caller in self.callers:
            caller.close()


@pytest.fixture
def silent() -> Iterator[Listener]:
    listener = Listener(b"", hangs_up=False)
    yield listener
    listener.close()


@pytest.fixture
def busy() -> Iterator[Listener]:
    listener = Listener(b"Port already in use\r\n", hangs_up=True)
    yield listener
    listener.close()


def test_nobody_listens(tmp_path: Path) -> None:
    port = free_port()
    console = TcpConsole(driver="tcp", address="127.0.0.1", port=port)
    with pytest.raises(TestbedUnreachable, match=rf"^the console 127.0.0.1 port {port} \(tcp\): connection refused: "):
        open_console(console, tmp_path / "console.log")
    with pytest.raises(TestbedUnreachable, match=r"absent \(qemu\): .*no such file"):
        open_console(QemuConsole(driver="qemu", path=tmp_path / "absent"), tmp_path / "console.log")


def test_silence_ends_at_the_deadline(silent: Listener, tmp_path: Path) -> None:
    console = open_console(silent.console, tmp_path / "console.log")
    with pytest.raises(DutError, match=r"^the console did not say 'pix>' within 0.2 s; its last lines: \(none\)$"):
        console.read_until("pix> ", Deadline(0.2))
    with pytest.raises(LabError, match="the machine has ended"):
        console.read_until("pix> ", Deadline(30), _dead)
    console.close()
    with pytest.raises(DutError, match="the console has been closed"):
        console.read_until("pix> ", Deadline(30))


def test_a_server_that_always_hangs_up_is_given_up(busy: Listener, tmp_path: Path) -> None:
    console = open_console(busy.console, tmp_path / "console.log", reconnect_s=0.7)
    with pytest.raises(
        DutError,
        match=r"^the console is gone, and cannot be had again within 0.7 s: the far end hung up; "
        r"its last lines: Port already in use",
    ):
        console.read_until("pix> ", Deadline(10))
    with pytest.raises(DutError, match=r"^'ports' could not be written: the console is gone, .*Port already in use"):
        console.write("ports\r")
    assert len(busy.callers) > 1
    console.close()
    assert "[lab: the console is gone, " in (tmp_path / "console.log").read_text()


def test_a_far_end_that_takes_nothing_ends_the_writing(
    silent: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.machines.consoles.stream.WRITE_LIMIT_S", 0.2)
    connection = socket.create_connection((silent.console.address, silent.console.port))
    console = Console(
        lambda mark: DescriptorStream(connection.detach()), tmp_path / "console.log", reconnect_s=0, burst_bytes=None
    )
    with pytest.raises(DutError, match=r"could not be written: it took nothing for 0.2 s"):
        console.write("x" * 50_000_000)
    console.close()


def test_serial_ports_that_are_none(tmp_path: Path) -> None:
    machine = SerialMachine()
    log = tmp_path / "console.log"
    (tmp_path / "file").touch()
    try:
        for device, says in (
            (tmp_path / "absent", "no such file or directory: check nodes"),
            (tmp_path / "file", "it is no serial port"),
        ):
            with pytest.raises(TestbedUnreachable, match=rf"\(serial\): {says}"):
                open_console(SerialConsole(driver="serial", device=device), log)
        with machine.device.open("rb", buffering=0) as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            with pytest.raises(TestbedUnreachable, match="another program has it: end that first"):
                open_console(SerialConsole(driver="serial", device=machine.device), log)
    finally:
        machine.close()


def test_a_serial_port_that_is_pulled_out(tmp_path: Path) -> None:
    machine = SerialMachine()
    console = open_console(
        SerialConsole(driver="serial", device=machine.device), tmp_path / "console.log", reconnect_s=0.5
    )
    machine.close()
    with pytest.raises(DutError, match=r"cannot be had again within 0\.5 s: no such file or directory"):
        console.read_until("pix> ", Deadline(10))
    console.close()


def test_a_controller_that_refuses_and_one_that_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port(socket.SOCK_DGRAM)
    monkeypatch.setenv("LOGIN", "operator:pass-word")
    monkeypatch.setattr(sol, "RETRIES", 1)
    monkeypatch.setattr(line, "_PAUSE_S", 0.1)
    console = SolConsole(driver="sol", address="127.0.0.1", port=port, credentials=Credentials(environment="LOGIN"))
    log = tmp_path / "console.log"
    account = Login("operator", "pass-word")
    with IpmiSim(tmp_path / "bmc", address="127.0.0.1", port=port, login=account, program=["true"], sol="/dev/null"):
        link = open_console(console, log)
        children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
        processes = [Path("/proc") / child for path in children for child in path.read_text().split()]
        (ipmitool,) = (process for process in processes if b"activate" in (process / "cmdline").read_bytes())
        assert b"pass-word" not in (ipmitool / "cmdline").read_bytes() + (ipmitool / "environ").read_bytes()
        link.close()
        for wrong, says in (
            ("operator:another", "the password is wrong"),
            ("nobody:pass-word", "there is no such user"),
        ):
            monkeypatch.setenv("LOGIN", wrong)
            with pytest.raises(TestbedUnreachable, match=says) as refused:
                open_console(console, log)
            assert wrong.split(":")[1] not in str(refused.value)
    with pytest.raises(TestbedUnreachable, match="no answer: check the address"):
        open_console(console, log)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="run 'apt-get install ipmitool'"):
        open_console(console, log)
    assert "pass-word" not in log.read_text()


def test_log_of_garbage_stays_a_text(tmp_path: Path) -> None:
    log = ConsoleLog(tmp_path / "console.log")
    log.write(b"half a l")
    log.write(b"ine\r\n\xfe\x00\x1b[1m\twhole\n\nunfinished")
    log.mark("remark")
    log.close()
    log.close()
    pattern = r"T half a line\nT \\xfe\\x00\\x1b\[1m\twhole\nT \nT unfinished\nT \[lab: remark\]\n"
    assert re.fullmatch(pattern.replace("T", r"\d{10}\.\d{6}"), (tmp_path / "console.log").read_text(encoding="ascii"))


def test_a_full_disk_ends_the_console_with_its_reason(tmp_path: Path) -> None:
    machine = SerialMachine()
    console = open_console(SerialConsole(driver="serial", device=machine.device), Path("/dev/full"))
    try:
        machine.say(b"something\r\n")
        with pytest.raises(DutError, match="the console's log /dev/full cannot be written: no space left on device"):
            console.read_until("pix> ", Deadline(10))
    finally:
        console.close()
        machine.close()


def test_ser2net_lets_one_in_at_a_time(tmp_path: Path) -> None:
    machine, port = SerialMachine(), free_port()
    console = TcpConsole(driver="tcp", address="127.0.0.1", port=port)
    try:
        with Ser2net(tmp_path, machine.device, port, telnet=False):
            first = open_console(console, tmp_path / "first.log")
            second = open_console(console, tmp_path / "second.log")
            began_s = time.monotonic()
            while "already in use" not in (tmp_path / "second.log").read_text():
                time.sleep(0.01)
                assert time.monotonic() - began_s < 10
            first.close()  # the second, which goes on asking, is let in then
            while "ready" not in (tmp_path / "second.log").read_text():
                machine.say(b"ready\r\n")
                time.sleep(0.05)
                assert time.monotonic() - began_s < 10
            second.close()
    finally:
        machine.close()


def _dead() -> None:
    raise LabError("the machine has ended")
