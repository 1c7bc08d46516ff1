"""Do the machines of a rack answer? Asked before anything else, side by side and within a deadline."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lab.errors import TestbedUnreachable
from lab.models import Model
from lab.testbed.boots import PxeBoot
from lab.testbed.consoles import SolConsole, TcpConsole, TelnetConsole
from lab.testbed.model import Testbed
from lab.testbed.power import IpmiPower, RedfishPower
from lab.testbed.resources import Server, TrexHost

_CONNECT_S = 3.0

# RMCP presence ping: header (version 6, no sequence, class ASF), message type 80h (DMTF DSP0136 sections 3.2.2, 3.2.4).
_RMCP_PING = bytes.fromhex("06 00 ff 06 00 00 11 be 80 00 00 00")


class Reached(Model):
    """Whether one resource of a testbed answered; ``problem`` is empty when it did."""

    what: str
    problem: str


def check(testbed: Testbed, timeout_s: float = 8.0) -> tuple[Reached, ...]:
    """Ask every resource of a rack whether it is there; a virtual testbed has none.

    Name resolution cannot be given a time limit, so each check runs in a thread of its own, which is left behind when
    it does not come back in time.

    Args:
        testbed: whose machines.
        timeout_s: for all of them together.

    """
    results: dict[str, str] = {}
    threads: list[threading.Thread] = []
    checks = _checks(testbed)
    for what, ask in checks.items():
        thread = threading.Thread(target=_run, args=(what, ask, results), daemon=True)
        thread.start()
        threads.append(thread)
    end_s = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(max(0.0, end_s - time.monotonic()))
    return tuple(Reached(what=what, problem=results.get(what, f"no answer within {timeout_s:g} s")) for what in checks)


def check_reachable(testbed: Testbed, timeout_s: float = 8.0) -> None:
    """Raise TestbedUnreachable, naming in one line all that does not answer, unless everything does."""
    missing = [reached for reached in check(testbed, timeout_s) if reached.problem]
    if missing:
        listed = "; ".join(f"{reached.what}: {reached.problem}" for reached in missing)
        raise TestbedUnreachable(
            f"testbed {testbed.name!r} cannot be reached: {listed}: "
            f"check power, network and the addresses in testbeds/{testbed.name}.yaml"
        )


def _run(what: str, ask: Callable[[], None], results: dict[str, str]) -> None:
    try:
        ask()
        results[what] = ""
    except OSError as error:
        results[what] = (error.strerror or str(error) or type(error).__name__).lower()


def _checks(testbed: Testbed) -> dict[str, Callable[[], None]]:
    """Return what to ask, by the name under which it is reported."""
    checks: dict[str, Callable[[], None]] = {}
    machine = testbed.dut.machine
    if isinstance(machine, Server):
        for role, resource in (("power", machine.power), ("console", machine.console)):
            if isinstance(resource, IpmiPower | SolConsole):
                checks[f"{role} (BMC {resource.address} port {resource.port})"] = _bind(
                    _ask_rmcp, resource.address, resource.port
                )
            elif isinstance(resource, RedfishPower | TelnetConsole | TcpConsole):
                kind = "BMC" if isinstance(resource, RedfishPower) else "console server"
                checks[f"{role} ({kind} {resource.address} port {resource.port})"] = _bind(
                    _ask_tcp, resource.address, resource.port
                )
        if isinstance(machine.boot, PxeBoot):
            interface = machine.boot.interface
            checks[f"boot network (interface {interface})"] = lambda: _ask_interface(interface)
    for host in (node.machine for node in testbed.generators.values()):
        if isinstance(host, TrexHost) and host.ssh is not None:  # the lab starts TRex there
            checks[f"TRex host (SSH {host.ssh.address} port {host.ssh.port})"] = _bind(
                _ask_tcp, host.ssh.address, host.ssh.port
            )
        elif isinstance(host, TrexHost):
            for role, port in (("RPC", host.rpc_port), ("events", host.async_port)):
                checks[f"TRex {role} ({host.address} port {port})"] = _bind(_ask_tcp, host.address, port)
    return checks


def _bind(ask: Callable[[str, int], None], host: str, port: int) -> Callable[[], None]:
    return lambda: ask(host, port)


def _ask_tcp(host: str, port: int) -> None:
    socket.create_connection((host, port), timeout=_CONNECT_S).close()


def _ask_rmcp(host: str, port: int) -> None:
    """Ask a BMC by RMCP ping: IPMI is spoken over UDP, where a connect says nothing."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as asker:
        asker.settimeout(_CONNECT_S)
        asker.connect(address)
        asker.send(_RMCP_PING)
        asker.recv(64)


def _ask_interface(name: str) -> None:
    if not Path(f"/sys/class/net/{name}").exists():
        raise OSError(0, "no such network interface on this machine")
