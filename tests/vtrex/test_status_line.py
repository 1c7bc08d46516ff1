"""The status line: at a terminal it is there and kept in one place, elsewhere only when asked for."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from lab.process import dying_with_parent
from lab.vtrex.status_line import scaled
from tests.vtrex.serving import Server, connected
from tests.vtrex.test_lifecycle import start_endless_traffic


class Terminal:
    """A server whose stderr is a terminal."""

    def __init__(self, *options: str) -> None:
        self.near, far = pty.openpty()
        command = [sys.executable, "-m", "lab.vtrex", "serve", "--rpc-port", "0", "--async-port", "0", *options]
        self.process = subprocess.Popen(dying_with_parent(command), stdout=subprocess.PIPE, stderr=far, text=True)
        os.close(far)
        assert self.process.stdout is not None
        ready = re.search(r":(\d+) async=.*:(\d+)\n", self.process.stdout.readline())
        assert ready is not None
        self.rpc_port, self.async_port = int(ready[1]), int(ready[2])
        self.text = ""

    def read_until(self, pattern: str, limit_s: float = 10.0) -> str:
        """Return what the terminal shows up to a match."""
        deadline = time.monotonic() + limit_s
        while re.search(pattern, self.text) is None:
            assert time.monotonic() < deadline, f"{pattern} is not in {self.text!r}"
            if select.select([self.near], [], [], 0.1)[0]:
                self.text += os.read(self.near, 4096).decode()
        return self.text

    def end(self) -> int:
        self.process.terminate()
        try:
            while select.select([self.near], [], [], 10)[0]:
                self.text += os.read(self.near, 4096).decode()
        except OSError:  # EIO: nobody holds the other end any more
            pass
        self.process.communicate(timeout=10)
        return self.process.returncode


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*options: str) -> Terminal:
        started.append(Terminal(*options))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()
        os.close(each.near)


def test_it_shows_ports_rates_and_clients_in_one_place(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("--wire")
    shown.read_until(r"0 idle \| 1 idle \| refused bursts 0, gaps over 100 us \d+ \| 0 clients")
    with connected(shown) as rpc:
        rpc.reset(0)
        start_endless_traffic(rpc.call)
        rpc.call("get_async_events", session_id=1)
        shown.read_until(r"0 tx: tx [\d.]+ k?pps [\d.]+ k?bps")
        shown.read_until(r"1 idle: rx [\d.]+ k?pps [\d.]+ k?bps .* \| 1 client")
        rpc.call("stop_traffic", port_id=0)
    assert shown.end() == 0
    lines = shown.text.split("\r")[1:]
    assert len(lines) > 2
    assert all(line.endswith("\x1b[K") for line in lines[:-2])
    assert shown.text.count("\n") == 1  # at the end, so that a prompt does not follow the line


def test_it_leaves_alone_a_polling_loop_that_shares_its_core(terminal: Callable[..., Terminal]) -> None:
    core = min(os.sched_getaffinity(0))
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        shown = terminal("--wire", "--core", str(core))
    finally:
        os.sched_setaffinity(0, before)
    shown.read_until(r"0 clients")
    with connected(shown) as rpc:
        rpc.reset(0)
        start_endless_traffic(rpc.call)
        time.sleep(2.2)
        rpc.call("stop_traffic", port_id=0)
    shown.read_until(r"0 streams")  # it is refreshed again
    assert "0 tx" not in shown.text
    assert shown.end() == 0


def test_a_terminal_that_goes_does_no_harm(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("--wire")
    shown.read_until(r"0 clients")
    near, shown.near = shown.near, os.open(os.devnull, os.O_RDONLY)
    os.close(near)
    time.sleep(1.5)  # more than a period: what it writes now meets a closed terminal
    with connected(shown) as rpc:
        assert rpc.call("ping")["ts"] > 0
    shown.process.terminate()
    shown.process.communicate(timeout=10)
    assert shown.process.returncode == 0


def test_elsewhere_it_is_written_only_when_asked_for(start_server: Callable[..., Server]) -> None:
    silent = start_server("--wire")
    asked = start_server("--wire", "--status")
    time.sleep(1.0)
    assert silent.stop() == (0, "")
    code, errors = asked.stop()
    assert code == 0
    assert re.match(r"0 idle \| 1 idle \| .* clients\n", errors)
    assert "\r" not in errors


def test_numbers_have_three_digits_and_a_prefix() -> None:
    assert [scaled(value) for value in (0, 999, 14_880, 1_488_095, 9.99e9)] == [
        *("0 ", "999 ", "14.9 k", "1.49 M", "9.99 G"),
    ]
