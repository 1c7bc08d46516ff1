"""Is all of a rack there? Everything is asked, from ping to link, side by side and within a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lab.errors import LabError, TestbedUnreachable
from lab.machines import consoles, power
from lab.machines.ssh import SshHost
from lab.models import Model
from lab.testbed import lease, probes
from lab.testbed.access import SshAccess
from lab.testbed.boots import BootServer
from lab.testbed.consoles import AnyConsole, QemuConsole, SerialConsole, SolConsole
from lab.testbed.model import Generator, Testbed
from lab.testbed.ports import Port
from lab.testbed.power import AnyPower, IpmiPower
from lab.testbed.resources import Server, SshLease, TrexHost

LIMIT_S = 8.0

_REASON = "its health check failed"

Ask = Callable[[], str]


class Asked(Model):
    """What came of one question: ``problem`` is empty where all is well, and ``detail`` says more where there is more.

    ``node`` is the testbed's name of the machine, ``what`` the part of it.
    """

    node: str
    what: str
    where: str
    problem: str
    detail: str
    took_s: float


class Question(NamedTuple):
    """One question, not asked yet; ``ask`` returns a detail, and raises LabError or OSError."""

    node: str
    what: str
    where: str
    ask: Ask


def check(testbed: Testbed, limit_s: float = LIMIT_S) -> tuple[Asked, ...]:
    """Ask everything that a run on a rack will need; a virtual testbed has nothing to ask.

    Name resolution cannot be given a time limit, so each question has a thread of its own, which is left behind when it
    does not come back in time.

    Args:
        testbed: whose machines.
        limit_s: for all of them together.

    """
    questions = tuple(_questions(testbed))
    answers: dict[int, Asked] = {}
    threads = [
        threading.Thread(target=_ask, args=(number, question, answers), daemon=True)
        for number, question in enumerate(questions)
    ]
    begun_s = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, begun_s + limit_s - time.monotonic()))
    return tuple(
        answers.get(number) or _answer(question, limit_s, problem=f"no answer within {limit_s:g} s")
        for number, question in enumerate(questions)
    )


def require(testbed: Testbed, limit_s: float = LIMIT_S) -> None:
    """See that all of a testbed is there, and set it aside where it is not; one that was so, and now is well, is back.

    Raises:
        TestbedUnreachable: naming in one line all that is not well.

    """
    try:
        check_reachable(testbed, limit_s)
    except TestbedUnreachable as error:
        with suppress(LabError):  # the place of its lease may be what does not answer
            if lease.look(testbed).quarantine is None:  # an older reason stays
                lease.quarantine(testbed, f"{_REASON}: {error}")
        raise
    if testbed.kind == "rack":
        standing = lease.look(testbed)
        if standing.quarantine is not None and standing.quarantine.reason.startswith(_REASON):
            lease.restore(testbed)


def check_reachable(testbed: Testbed, limit_s: float = LIMIT_S) -> None:
    """Raise TestbedUnreachable, naming in one line all that is not well, unless everything is."""
    missing = [asked for asked in check(testbed, limit_s) if asked.problem]
    if missing:
        listed = "; ".join(f"{asked.what} ({asked.where}): {asked.problem}" for asked in missing)
        raise TestbedUnreachable(
            f"testbed {testbed.name!r} cannot be reached: {listed}: "
            f"check power, network and the addresses in testbeds/{testbed.name}.yaml"
        )


def _ask(number: int, question: Question, answers: dict[int, Asked]) -> None:
    begun_s = time.monotonic()
    try:
        detail, problem = question.ask(), ""
    except LabError as error:
        detail, problem = "", str(error)
    except OSError as error:
        detail, problem = "", (error.strerror or str(error) or type(error).__name__).lower()
    answers[number] = _answer(question, time.monotonic() - begun_s, detail, problem)


def _answer(question: Question, took_s: float, detail: str = "", problem: str = "") -> Asked:
    node, what, where, _ = question
    return Asked(node=node, what=what, where=where, detail=detail, problem=problem, took_s=took_s)


def _questions(testbed: Testbed) -> Iterator[Question]:
    """Yield what to ask, in the order in which a run needs it."""
    if isinstance(testbed.lease, SshLease):
        yield from _ssh("lease", testbed.lease.ssh, testbed.lease.directory)
    for name, node in testbed.nodes.items():
        if isinstance(node.machine, Server):
            yield from _server(name, node.machine)
        elif isinstance(node.machine, TrexHost):
            assert isinstance(node, Generator), "the model's own check"
            yield from _trex(name, node.machine, node.ports)


def _server(name: str, machine: Server) -> Iterator[Question]:
    where = _place(machine.power)
    address = getattr(machine.power, "address", None)
    if address is not None:
        yield Question(name, "ping of the controller", address, partial(probes.ping, address))
    if isinstance(machine.power, IpmiPower):
        ask = partial(probes.rmcp, machine.power.address, machine.power.port)
        yield Question(name, "BMC", where, ask)
    yield Question(name, "power", where, partial(_power, machine.power))
    yield Question(name, "console", _place(machine.console), partial(_console, machine.console))
    if isinstance(machine.boot, BootServer):
        yield from _ssh(name, machine.boot.ssh, machine.boot.directory)
    else:
        ask = partial(probes.interface, machine.boot.interface, machine.boot.address)
        yield Question(name, "boot network", f"interface {machine.boot.interface}", ask)


def _trex(name: str, host: TrexHost, ports: tuple[Port, ...]) -> Iterator[Question]:
    yield Question(name, "ping", host.address, partial(probes.ping, host.address))
    if host.ssh is None:
        for what, number in (("TRex RPC", host.rpc_port), ("TRex events", host.async_port)):
            where = f"{host.address} port {number}"
            yield Question(name, what, where, partial(probes.tcp, host.address, number))
        return
    yield from _ssh(name, host.ssh, None)
    assert host.release is not None, "the model's own check"
    if host.release.tarball is not None and "://" not in host.release.tarball:
        tarball = Path(host.release.tarball)
        yield Question(name, "TRex release", str(tarball), partial(probes.file, tarball))
    there = tuple(port for port in ports if port.pci or (port.interface and ":" not in port.interface))
    if there:
        where = f"{len(there)} of {host.address}"
        yield Question(name, "ports", where, partial(_ports, host.ssh, there))


def _ssh(name: str, access: SshAccess, folder: str | None) -> Iterator[Question]:
    where = f"{access.user}@{access.address} port {access.port}"
    what = "SSH" if folder is None else f"SSH, to write into {folder}"
    yield Question(name, what, where, partial(_login, access, folder))


def _login(access: SshAccess, folder: str | None) -> str:
    with SshHost(access) as host:
        if folder is not None:
            host.tell(["test", "-d", folder, "-a", "-w", folder])
        return host.tell(["uname", "-sr"]).strip()


def _ports(access: SshAccess, ports: Sequence[Port]) -> str:
    """Look for ports on their machine: each card on the PCI bus, or its interface, with the state of its link."""
    found: list[str] = []
    missing: list[str] = []
    with SshHost(access) as host:
        for port in ports:
            state, well = _port(host, port)
            (found if well else missing).append(f"{port.name} ({port.pci or port.interface}): {state}")
    if missing:
        raise LabError("; ".join(missing))
    return "; ".join(found)


def _port(host: SshHost, port: Port) -> tuple[str, bool]:
    """Return the state of a port in words, and whether it can be used; a card without a kernel driver has no state."""
    if port.pci is None:
        state = host.run(["cat", f"/sys/class/net/{port.interface}/operstate"]).out.strip()
        return (f"link {state}", state in ("up", "unknown")) if state else ("no such interface", False)
    folder = f"/sys/bus/pci/devices/{port.pci if port.pci.count(':') == 2 else f'0000:{port.pci}'}"
    if host.run(["test", "-e", folder]).code != 0:
        return "no such card", False
    driver = host.run(["readlink", f"{folder}/driver"]).out.strip().rsplit("/", 1)[-1] or "none"
    state = host.run(f"cat {folder}/net/*/operstate").out.strip()
    return f"driver {driver}{f', link {state}' if state else ''}", state in ("", "up")


def _power(resource: AnyPower) -> str:
    driver = power.connect(resource)
    try:
        return f"is {driver.state()}"
    finally:
        driver.close()


def _console(resource: AnyConsole) -> str:
    consoles.open_console(resource, Path("/dev/null")).close()
    return "can be had"


def _place(resource: AnyPower | AnyConsole) -> str:
    """Name where a resource is."""
    if isinstance(resource, SerialConsole):
        return str(resource.device)
    if isinstance(resource, QemuConsole):
        return str(resource.path)
    kind = "BMC " if isinstance(resource, IpmiPower | SolConsole) or resource.driver == "redfish" else ""
    address, port = getattr(resource, "address", None), getattr(resource, "port", None)
    return f"{kind}{address} port {port}" if address is not None else f"{resource.driver} of this machine"
