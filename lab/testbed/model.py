"""A testbed: nodes with their ports, and the links between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from lab.document import Record
from lab.errors import near_misses
from lab.testbed.ports import DutPort, Link, Name, Port, QueuePair, Route
from lab.testbed.resources import FileLease, Local, Qemu, Rackbox, Reference, Server, SshLease, TrexHost, TrexLocal

AnyPort = TypeVar("AnyPort", bound=Port)


def _named_once(ports: tuple[AnyPort, ...]) -> tuple[AnyPort, ...]:
    """Two ports of a node differ in name and in MAC."""
    for attribute in ("name", "mac"):
        seen: set[str] = set()
        for port in ports:
            value = getattr(port, attribute)
            if value in seen:
                raise ValueError(f"two ports have the {attribute} {value!r}: give each its own")
            seen.add(value)
    return ports


class Dut(Record):
    """The device under test. Its ports are numbered by their place in the list, as the image numbers them.

    What runs on it, and what drives that, is the image's matter.
    """

    role: Literal["dut"]
    machine: Annotated[Qemu | Reference | Server, Field(discriminator="driver")]
    ports: tuple[DutPort, ...] = Field(min_length=2, max_length=8)
    routes: tuple[Route, ...] = ()

    _ports_named_once = field_validator("ports")(_named_once)

    @model_validator(mode="after")
    def _qgms_have_cores(self) -> Dut:
        for number, port in enumerate(self.ports):
            for core in port.qgms:
                if not 1 <= core <= self.machine.exclusive_cores:
                    raise ValueError(
                        f"ports[{number}].qgms: there is no exclusive core {core}: the machine has 1 to "
                        f"{self.machine.exclusive_cores} (machine.exclusive_cores)"
                    )
        return self

    @model_validator(mode="after")
    def _boot_port_is_no_data_port(self) -> Dut:
        """What an image was booted by is no port of it: a router would lose one."""
        machine = self.machine
        boot_mac = machine.boot.mac if isinstance(machine, Server) else getattr(machine, "boot_mac", None)
        for number, port in enumerate(self.ports):
            if port.mac == boot_mac:
                raise ValueError(
                    f"ports[{number}].mac: {port.mac} is also that of the NIC that the machine boots by, which is no "
                    "data port: give the machine another boot NIC, or leave the port out"
                )
        return self

    @model_validator(mode="after")
    def _reference_pairs_ports(self) -> Dut:
        if isinstance(self.machine, Reference):
            most = 2 if self.machine.program == "wire" else 8
            if len(self.ports) % 2 or len(self.ports) > most or any(port.qgms for port in self.ports):
                raise ValueError(
                    f"ports: a reference joins ports 0 and 1, 2 and 3, ...: give {self.machine.program} an even number "
                    f"of at most {most}, without qgms"
                )
        return self

    def queue_pairs(self) -> tuple[QueuePair, ...]:
        """Return who has which queue pair: as the ports say, and one pair of each other port dealt to cores in turn."""
        cores = self.machine.exclusive_cores
        return tuple(
            QueuePair(core=core, port=number, queue=queue)
            for number, port in enumerate(self.ports)
            for queue, core in enumerate(port.qgms or (1 + number % cores,))
        )


class Generator(Record):
    """A traffic generator. TRex numbers its ports by their place in the list."""

    role: Literal["generator"]
    driver: Literal["vtrex", "trex"]
    machine: Annotated[Local | TrexHost | TrexLocal, Field(discriminator="driver")]
    ports: tuple[Port, ...] = Field(min_length=2, max_length=8)

    _ports_named_once = field_validator("ports")(_named_once)

    @model_validator(mode="after")
    def _trex_finds_its_ports(self) -> Generator:
        here = isinstance(self.machine, TrexLocal)
        if here or (isinstance(self.machine, TrexHost) and self.machine.ssh is not None):
            for port in self.ports:
                if (port.pci is None) == (port.interface is None):
                    raise ValueError(f"ports: TRex is told of {port.name} by either pci or interface: give one of them")
            if len(self.ports) % 2:
                raise ValueError(f"ports: TRex has ports in pairs, and {len(self.ports)} are given: add one")
        return self


Node = Annotated[Dut | Generator, Field(discriminator="role")]


class Testbed(Record):
    """One testbed: exactly one DUT, and a generator to one of whose ports each port of the DUT is cabled.

    Several TRex hosts are one generator: their ports are numbered one after the other, in the order of the nodes.
    ``name`` is the file's name and is set by the loader. A rack may be in a ``box``, which the lab raises around it.
    """

    __test__ = False  # not a test class, whatever its name begins with

    name: str
    kind: Literal["virtual", "rack"]
    description: str = Field(min_length=1)
    nodes: dict[Name, Node]
    links: tuple[Link, ...]
    lease: Annotated[FileLease | SshLease, Field(discriminator="driver")] = FileLease(driver="file")
    box: Rackbox | None = None

    @field_validator("nodes")
    @classmethod
    def _each_role(cls, nodes: dict[str, Node]) -> dict[str, Node]:
        duts, generators = ([node for node in nodes.values() if node.role == role] for role in ("dut", "generator"))
        if len(duts) != 1:
            raise ValueError(f"{len(duts)} nodes have the role 'dut': a testbed has exactly one")
        if not generators:
            raise ValueError("0 nodes have the role 'generator': a testbed has one, or several TRex hosts")
        if len(generators) > 1:
            if any(node.machine.driver != "trex-host" for node in generators):
                raise ValueError(f"{len(generators)} nodes have the role 'generator': only TRex hosts can be several")
            if len({port.mac for node in generators for port in node.ports}) < sum(len(g.ports) for g in generators):
                raise ValueError("two ports of the generators have the same mac: give each its own")
        return nodes

    @model_validator(mode="after")
    def _machines_fit_kind(self) -> Testbed:
        wanted = ("qemu", "reference", "local", "trex-local") if self.kind == "virtual" else ("server", "trex-host")
        for name, node in self.nodes.items():
            if node.machine.driver not in wanted:
                raise ValueError(
                    f"node {name!r} has a machine of driver {node.machine.driver!r}, "
                    f"which a {self.kind} testbed cannot have: use {' or '.join(wanted)}"
                )
        return self

    @model_validator(mode="after")
    def _taps_have_a_generator(self) -> Testbed:
        machine = self.dut.machine
        taps, local = isinstance(machine, Qemu) and machine.links == "tap", self.generator.machine.driver
        if taps != (local == "trex-local"):
            raise ValueError(
                "a generator of driver trex-local opens the taps of a qemu with links: tap, and no other generator "
                "does: use both or neither"
            )
        if taps and any(port.interface is None for port in self.generator.ports):
            raise ValueError("the taps get the names that the generator's ports have as interface: give each one")
        return self

    @model_validator(mode="after")
    def _links_join_ports(self) -> Testbed:
        known = {f"{name}.{port.name}": node.role for name, node in self.nodes.items() for port in node.ports}
        joined: set[str] = set()
        for number, link in enumerate(self.links):
            for end in link.ends:
                if end not in known:
                    raise ValueError(f"links[{number}] names no known port, {end!r}: {near_misses(end, known)}")
                if end in joined:
                    raise ValueError(f"links[{number}] joins the port {end!r} a second time: a port has one link")
                joined.add(end)
            if {known[end] for end in link.ends} != {"dut", "generator"}:
                raise ValueError(f"links[{number}] must join a port of the DUT and one of the generator: {link.ends}")
        free = [end for end, role in known.items() if role == "dut" and end not in joined]
        if free:
            raise ValueError(f"links: the port {free[0]!r} has no link: add one to a port of the generator")
        return self

    @property
    def dut(self) -> Dut:
        """The device under test."""
        return next(node for node in self.nodes.values() if isinstance(node, Dut))

    @property
    def generators(self) -> dict[str, Generator]:
        """The nodes that generate traffic, by their names: one, or several TRex hosts."""
        return {name: node for name, node in self.nodes.items() if isinstance(node, Generator)}

    @property
    def generator(self) -> Generator:
        """The traffic generator, with the ports of all nodes that generate; its machine is that of the first one."""
        first, *others = self.generators.values()
        ports = first.ports + tuple(port for node in others for port in node.ports)
        return first.model_copy(update={"ports": ports})

    @property
    def speed_gbps(self) -> float:
        """The speed of the DUT's slowest port, which bounds the rate of every direction alike."""
        return min(port.speed_gbps for port in self.dut.ports)

    @property
    def card_rate_pps(self) -> float | None:
        """The packet rate that the generator's slowest card does not exceed on a port; None where none is given."""
        given = [port.max_rate_pps for port in self.generator.ports if port.max_rate_pps is not None]
        return min(given, default=None)

    def peer_of(self, dut_port: Port) -> Port:
        """Return the generator's port at the other end of the link of a port of the DUT."""
        return self.generator.ports[self.generator_port(self.dut.ports.index(dut_port))]

    def generator_port(self, dut_port: int) -> int:
        """Return the number of the generator's port that is cabled to the DUT's port of the given number."""
        return next(g for d, g in self.wiring() if d == dut_port)

    def wiring(self) -> Iterable[tuple[int, int]]:
        """Yield a pair (number of the DUT's port, number of the generator's port) a link."""
        numbers: dict[str, int] = {}
        for role in ("dut", "generator"):
            ends = [f"{name}.{p.name}" for name, node in self.nodes.items() if node.role == role for p in node.ports]
            numbers |= {end: number for number, end in enumerate(ends)}
        for link in self.links:
            dut, generator = sorted(link.ends, key=lambda end: self.nodes[end.split(".")[0]].role)  # in this order
            yield numbers[dut], numbers[generator]
