"""The servers that generate a testbed's traffic: started, connected to, restarted and stopped, of whatever kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from lab.machines import cores
from lab.machines.links import Links
from lab.testbed import Testbed
from lab.testbed.model import Generator
from lab.testbed.resources import TrexHost, TrexLocal
from lab.traffic import trex_host
from lab.traffic.combined import CombinedGenerator
from lab.traffic.restartable import Connection
from lab.traffic.trex import TrexGenerator
from lab.traffic.vtrex import VtrexServer

Progress = Callable[[str], None]


class Server(Protocol):
    """A server that a node of a testbed runs."""

    def connect(self) -> TrexGenerator:
        """Connect to it; GeneratorError where that cannot be."""
        ...

    def restart(self) -> None:
        """End it, if it has not ended, and start it again; clients connect anew."""
        ...

    def stop(self) -> None:
        """End it. May be called twice."""
        ...


class Standing:
    """A server that somebody else started: it is connected to, and left alone."""

    def __init__(self, machine: TrexHost, log: Path) -> None:
        """Say where it is; ``log`` is a file for what its client prints."""
        self._machine = machine
        self._log = log

    def connect(self) -> TrexGenerator:
        """Connect; GeneratorError where it does not answer."""
        return TrexGenerator(self._machine.address, self._machine.rpc_port, self._machine.async_port, self._log)

    def restart(self) -> None:
        """Do nothing: it is not the lab's."""

    def stop(self) -> None:
        """Do nothing: it is not the lab's."""


class Servers:
    """All servers of a testbed, which are one generator."""

    def __init__(self, servers: dict[str, Server]) -> None:
        """Take servers that are up, by the names of their nodes, in the order in which their ports are numbered."""
        self._servers = servers

    def connect(self) -> Connection:
        """Connect to all of them.

        Raises:
            GeneratorError: one refuses; then none is connected.

        """
        connected: dict[str, TrexGenerator] = {}
        try:
            for name, server in self._servers.items():
                connected[name] = server.connect()
        except BaseException:
            for generator in connected.values():
                generator.close()
            raise
        return next(iter(connected.values())) if len(connected) == 1 else CombinedGenerator(connected)

    def restart(self) -> None:
        """Start all of them anew; GeneratorError where one does not come up."""
        for server in self._servers.values():
            server.restart()


@contextmanager
def serving(testbed: Testbed, links: Links, run_dir: Path, progress: Progress) -> Iterator[Servers]:
    """Start what generates a testbed's traffic; all of it is stopped at the end.

    Args:
        testbed: leased by the caller.
        links: to a DUT on this machine; empty where ports are cabled.
        run_dir: folder for logs.
        progress: told what happens.

    Raises:
        GeneratorError: a server does not come up.
        TestbedUnreachable: its machine cannot be reached.

    """
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        for name, node in testbed.generators.items():
            servers[name] = _start(testbed, name, node, links, run_dir, progress)
            stack.callback(servers[name].stop)
        yield Servers(servers)


def _start(testbed: Testbed, name: str, node: Generator, links: Links, run_dir: Path, progress: Progress) -> Server:
    machine = node.machine
    if isinstance(machine, TrexLocal) or (isinstance(machine, TrexHost) and machine.ssh is not None):
        progress(f"starting TRex ({name})")
        return trex_host.start(testbed, name, run_dir, progress, links.namespace)
    if isinstance(machine, TrexHost):
        return Standing(machine, run_dir / f"{name}.log")
    return start_vtrex(testbed, links, run_dir / "vtrex.log")


def start_vtrex(testbed: Testbed, links: Links, log: Path) -> VtrexServer:
    """Start vtrex with ports at the ends of ``links``, on the core of the generator; GeneratorError if it fails."""
    plan = cores.plan(testbed.dut.machine.exclusive_cores)
    return VtrexServer(
        links.vtrex_options,
        core=plan.generator,
        housekeeping_core=plan.housekeeping,
        line_rate_gbps=testbed.speed_gbps,
        log=log,
    )
