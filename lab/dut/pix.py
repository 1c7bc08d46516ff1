"""PIX, spoken to on the shell of its serial console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from lab.dut.counters import Conservation, Counters, PortCounters, QgmCounters
from lab.dut.shell import Shell
from lab.errors import DutError
from lab.metrics.hops import PortTally, Tally
from lab.testbed.model import Dut as Node
from lab.testbed.ports import Port, QueuePair
from lab.testbed.resources import Reference

ROUTES_LIMIT_S = 120.0
"""A million routes take two seconds, and longer on an emulated processor that others keep busy."""


class PixDut:
    """The BootedDut protocol (lab.dut.protocol) by commands of the image's shell.

    The image keeps no configuration: what it was told is kept here, and told anew after a reset.
    """

    def __init__(self, shell: Shell) -> None:
        """Bind to the shell of the booted image."""
        self._shell = shell
        self._links: tuple[Node, tuple[Port, ...]] | None = None
        self._neighbours: dict[tuple[int, str], str] = {}
        self._routes: dict[str, str] = {}
        self._pairs: tuple[QueuePair, ...] = ()
        self._route_file_sha256 = ""
        self._routes_loaded = 0
        self._cores_used: int | None = None
        self._started = False

    def version(self) -> dict[str, Any]:
        """Return ``name``, ``version``, ``layout``, ``build_id``, and ``sha256`` of the file that it booted."""
        return version_of(self._shell)

    def ports(self) -> list[dict[str, Any]]:
        """Return its data ports in their order."""
        return self._shell.objects("ports")

    def cores(self) -> list[dict[str, Any]]:
        """Return its cores."""
        return self._shell.objects("cores")

    def configure(self, node: Node, peers: Sequence[Port]) -> None:
        """Set queue group managers, addresses, permanent neighbours and routes."""
        self._links = node, tuple(peers)
        self._set_up(*self._links)
        for route in node.routes:
            self.route_add(str(route.prefix), str(route.via))

    def _set_up(self, node: Node, peers: Sequence[Port]) -> None:
        self._configure_qgms(node)
        for number, (port, peer) in enumerate(zip(node.ports, peers, strict=True)):
            self._shell.tell(f"addr add {number} {port.address}")
            self._shell.tell(f"neigh add {number} {peer.address.ip} {peer.mac}")

    def reconfigure(self, shell: Shell) -> None:
        """Tell it all again: queue group managers, addresses, neighbours, routes, those of its file, and the start."""
        self._shell = shell
        if self._links is not None:
            self._set_up(*self._links)
        for (port, address), mac in self._neighbours.items():
            self._shell.tell(f"neigh add {port} {address} {mac}")
        for prefix, via in self._routes.items():
            self._shell.tell(f"route add {prefix} via {via}")
        if self._route_file_sha256:
            self.prove_route_file(self._route_file_sha256)
        if self._routes_loaded:
            self.load_routes(self._routes_loaded)
        if self._started:
            self.start()

    def _configure_qgms(self, node: Node) -> None:
        """Say which core has which queue pair; one that is told of none has all ports, and nobody else is there."""
        machine = node.machine
        assert not isinstance(machine, Reference), "PIX is booted on a machine"
        for name, value in (("ring_length", machine.ring_length), ("batch", machine.batch)):
            if value is not None:
                self._shell.tell(f"set {name} {value}")
        self._pairs = node.queue_pairs()
        if machine.exclusive_cores > 1:
            self._deal(self._cores_used or machine.exclusive_cores)

    def _deal(self, count: int) -> None:
        for pair in self._pairs:
            self._shell.tell(f"qgm add {1 + (pair.core - 1) % count} {pair.port}/{pair.queue}")

    def use_cores(self, count: int) -> None:
        """Deal the work of all its queue group managers to the first ``count``, and start again."""
        self.stop()
        for pair in self._shell.objects("qgm"):
            self._shell.tell(f"qgm del {pair['port']}/{pair['queue']}")
        self._deal(count)
        self._cores_used = count
        self.start()

    def route_add(self, prefix: str, via: str) -> None:
        """Add a route."""
        self._shell.tell(f"route add {prefix} via {via}")
        self._routes[prefix] = via

    def route_del(self, prefix: str) -> None:
        """Remove a route."""
        self._shell.tell(f"route del {prefix}")
        self._routes.pop(prefix, None)

    def neighbour_add(self, port: int, address: str, mac: str) -> None:
        """Add a permanent neighbour."""
        self._shell.tell(f"neigh add {port} {address} {mac}")
        self._neighbours[port, address] = mac

    def load_routes(self, count: int) -> None:
        """Add the first routes of the route file."""
        self._shell.tell(f"route load {count}", ROUTES_LIMIT_S)
        self._routes_loaded = count

    def clear_routes(self) -> None:
        """Remove the routes of the route file; the image removes all, so those of ``route_add`` are added again."""
        self._shell.tell("route clear", ROUTES_LIMIT_S)
        self._routes_loaded = 0
        for prefix, via in self._routes.items():
            self._shell.tell(f"route add {prefix} via {via}")

    def churn_routes(self, count: int) -> None:
        """Withdraw and announce routes of the route file."""
        self._shell.tell(f"route churn {count}", ROUTES_LIMIT_S)

    def prove_route_file(self, sha256: str) -> None:
        """Raise DutError unless the route file that arrived has this digest."""
        told = self._shell.objects("route file")[0].get("sha256")
        if told != sha256:
            raise DutError(f"the DUT has a route file of digest {told}, and was served one of {sha256}")
        self._route_file_sha256 = sha256

    def start(self) -> None:
        """Start forwarding."""
        self._shell.tell("start")
        self._started = True

    def stop(self) -> None:
        """Stop forwarding."""
        self._shell.tell("stop")
        self._started = False

    def counters(self) -> Counters:
        """Return its counters; DutError when they have not the shape that the lab knows."""
        ports, qgms = [], []
        for counted in self._shell.objects("counters"):
            scope = counted.pop("scope", None)
            try:
                if scope == "port":
                    ports.append(PortCounters.model_validate(counted))
                elif scope == "qgm":
                    qgms.append(QgmCounters.model_validate(counted))
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(str(part) for part in first["loc"])
                raise DutError(
                    f"the DUT's counters of a {scope} are unknown to the lab: {place}: {first['msg']}"
                ) from error
        return Counters(ports=tuple(ports), qgms=tuple(qgms))

    def tally(self) -> Tally:
        """Return its `tally`: a tenth of the bytes of its counters, each of which costs 80 us where ring 0 is slow."""
        told = self._shell.objects("tally")
        try:
            (tally,) = told
            ports = tuple(
                PortTally(port=number, rx_frames=port["rx"], tx_frames=port["tx"], drops=port["drops"])
                for number, port in enumerate(tally["ports"])
            )
            return Tally(
                boot=str(tally["booted"]),
                ports=ports,
                originated=tally["originated"],
                consumed=tally["consumed"],
                held=tally["held"],
                complete=True,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DutError(f"the DUT's tally is unknown to the lab: it told {told}") from error

    def clear_counters(self) -> None:
        """Set its counters to zero."""
        self._shell.tell("counters clear")

    def drops(self) -> dict[str, int]:
        """Return the drops of all ports by reason."""
        return self.counters().drops()

    def drop_reasons(self) -> frozenset[str]:
        """Return every reason that its counters know."""
        return frozenset(reason for port in self.counters().ports for reason in port.drops)

    def conservation(self) -> Conservation:
        """Return the two sides of the balance of its packets."""
        return self.counters().conservation()

    def send_reboot(self) -> None:
        """Tell it to reboot."""
        self._shell.send("reboot")

    def command(self, text: str) -> list[str]:
        """Run one line on its shell and return the lines that it answers."""
        return self._shell.run(text)

    def close(self) -> None:
        """Let go of it."""
        self._shell.close()


def version_of(shell: Shell) -> dict[str, Any]:
    """Return what the shell's ``version`` tells; DutError when it does not tell the digest of the booted file."""
    told = shell.objects("version")
    if len(told) != 1 or not isinstance(told[0].get("sha256"), str):
        raise DutError(f"the DUT does not tell the SHA-256 of the file that it was booted from: it told {told}")
    return told[0]
