"""Models of the machines: where their cores sit, and every number as a range with its unit and its source.

Sources: "published" are measurements of others on that hardware; "prior" is a range wide enough that the truth should
lie in it, for what nobody has published. No number of any machine was chosen by looking at a forwarding result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from lab.errors import UsageError
from lab.simulation.facts import HostFacts
from lab.simulation.scene import Protocol
from lab.simulation.topology import Place, Topology
from lab.simulation.workload.case import Placement

PORT_NUMBERS = frozenset({"card", "card_bytes", "card_tx", "card_tx_single", "nic_port", "device"})
"""Numbers of a machine that bound what its network cards move."""


@dataclass(frozen=True)
class Range:
    """A number that is known as well as its source is: a distribution through three points.

    Attributes:
        low: lowest value drawn.
        median: half of the draws lie below it.
        high: highest value drawn.
        unit: unit of the three.
        source: where they come from.

    """

    low: float
    median: float
    high: float
    unit: str
    source: str

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.median <= self.high:
            raise ValueError(f"{self}: must be 0 <= low <= median <= high")
        if not self.source:
            raise ValueError(f"{self}: a number without a source")

    def quantile(self, share: float) -> float:
        """Return the value below which ``share`` (0 to 1) of the draws lie."""
        return float(np.interp(share, (0.0, 0.5, 1.0), (self.low, self.median, self.high)))


def exactly(value: float, unit: str, source: str) -> Range:
    """Return a number taken as known."""
    return Range(value, value, value, unit, source)


@dataclass(frozen=True)
class Nics:
    """The network cards of a machine, all of one kind.

    Attributes:
        model: as sold.
        cards: how many.
        ports_per_card: ports that share a PCIe slot.
        line_rate_gbps: of each port.

    """

    model: str
    cards: int
    ports_per_card: int
    line_rate_gbps: float


@dataclass(frozen=True)
class Machine:
    """A machine that can be simulated.

    Attributes:
        name: of its file, or host.
        description: what it is, in a line or two.
        protocol: MESIF or MOESI.
        topology: its sockets, core complexes and cores.
        nics: None where ports are virtio rings shared with the generator's core.
        ranges: its numbers, by name.

    """

    name: str
    description: str
    protocol: Protocol
    topology: Topology
    nics: Nics | None
    ranges: Mapping[str, Range]

    @property
    def sockets(self) -> int:
        """Packages with cores."""
        return self.topology.sockets

    @property
    def ports_per_card(self) -> int:
        """Ports that share a PCIe slot; 1 without NICs."""
        return 1 if self.nics is None else self.nics.ports_per_card

    def places(self, cores: int, placement: Placement) -> tuple[Place, ...]:
        """Return where that many cores lie, as :meth:`Topology.places` says.

        Raises:
            UsageError: the machine has not so many cores, complexes or sockets.

        """
        return self.topology.places(cores, placement, f"machine {self.name!r}")

    def needs(self, names: Iterable[str], what: str) -> None:
        """Refuse to go on without numbers that not every machine has.

        Args:
            names: of ranges.
            what: needs them, for the error: ``workload 'direct-tx'``.

        Raises:
            UsageError: one of them is missing.

        """
        for name in names:
            if name not in self.ranges:
                raise UsageError(
                    f"machine {self.name!r} has no number {name!r}, which {what} needs: use another machine or add it "
                    "to the machine's file"
                )

    def needs_ports(self, ports: int, line_rate_gbps: float, what: str) -> None:
        """Refuse ports that the machine's network cards have not.

        Args:
            ports: how many.
            line_rate_gbps: of each.
            what: needs them, for the error: ``workload 'direct-tx'``.

        Raises:
            UsageError: there are no cards, not so many ports, or slower ones.

        """
        nics = self.nics
        if nics is None:
            raise UsageError(f"machine {self.name!r} has no network cards, which {what} needs: use another machine")
        has = f"machine {self.name!r} has {nics.cards}x {nics.model}, {nics.ports_per_card} ports each"
        most = nics.cards * nics.ports_per_card
        if ports > most:
            raise UsageError(f"{what}: {ports} ports: {has}: ask for at most {most}")
        if line_rate_gbps > nics.line_rate_gbps:
            raise UsageError(f"{what}: {line_rate_gbps:g} Gb/s: {has}, of {nics.line_rate_gbps:g} Gb/s: ask for less")

    def with_work(self, cycles_per_packet: float) -> Machine:
        """Return this machine with the measured work a packet instead of the prior."""
        measured = exactly(cycles_per_packet, "cycles", "measured on one core without sharing")
        return replace(self, ranges={**self.ranges, "work": measured})

    def with_free_ports(self, ports: int, line_rate_gbps: float) -> Machine:
        """Return this machine with network ports that cost its cores nothing, in place of those that it has.

        For what routes between synthetic ports, or between ports whose cost is left out.

        Args:
            ports: how many.
            line_rate_gbps: of each.

        """
        nics = Nics("free port", cards=ports, ports_per_card=1, line_rate_gbps=line_rate_gbps)
        kept = {name: each for name, each in self.ranges.items() if name not in PORT_NUMBERS}
        nothing = exactly(0, "ns", "assumed: ports that cost nothing")
        return replace(self, nics=nics, ranges={**kept, "doorbell": nothing, "pcie_read": nothing})

    def draws(self, count: int, seed: int) -> list[dict[str, float]]:
        """Draw every number ``count`` times, stratified (Latin hypercube), the same for the same seed.

        What is drawn of one number does not depend on which others there are: a machine that gets a new number is
        simulated with the old draws of all the others.
        """
        columns = {}
        for name in sorted(self.ranges):
            generator = np.random.default_rng((seed, crc32(name.encode())))
            shares = (generator.permutation(count) + generator.random(count)) / count
            columns[name] = [self.ranges[name].quantile(share) for share in shares]
        return [{name: column[i] for name, column in columns.items()} for i in range(count)]


PRIORS = {
    "work": Range(100, 175, 250, "cycles", "prior: work of the forwarding path on one core"),
    "tx_work": Range(15, 25, 45, "cycles", "prior: a loop that writes descriptors of frames that are ready"),
    "pcie_read": Range(300, 450, 900, "ns", "published: the talk, register read 392.1 ns; prior for reads by a device"),
    "locked": Range(15, 20, 25, "cycles", "prior: locked read-modify-write that hits L1"),
    "hold": Range(1, 3, 10, "ns", "prior: least time that a line stays with its new holder"),
    "snoop": Range(0, 10, 30, "ns", "prior: the holder keeps its line until the snoop reaches it"),
    "together": exactly(1, "stores", "published: one store a cycle (Intel, up to Skylake)"),
    "overlap": Range(0, 0.15, 0.5, "of the window", "prior: work overlapped with index loads, nearer to blocking"),
    "restart": Range(
        *(12, 17, 25),
        "cycles",
        "prior: wrongly predicted jumps cost 15 to 20 on recent cores (Agner Fog, microarchitecture)",
    ),
    "jitter": Range(0.15, 0.175, 0.20, "of a transfer", "published: spread of nviennot's matrices"),
    "upgrade": Range(0, 0.5, 1, "of increments", "prior: load fetches the line shared first, the store asks again"),
    "pair": Range(0, 0.5, 1, "64 or 128 bytes", "prior: the adjacent-line prefetcher moves pairs of lines from 0.5 on"),
}
"""What holds for every machine unless its file says otherwise."""

HOST = Topology(sockets=1, complexes_per_socket=1, cores_per_complex=64)
"""HostFacts count no cores, and a hypervisor may move them: as many as a case may have, all as near as was measured."""


def host(facts: HostFacts) -> Machine:
    """Return the model of this machine; what was not measured is a wide prior."""
    measured = f"measured: CAS ping-pong, {facts.windows} windows, p10-p50-p90"
    latency = Range(facts.c2c_latency_ns_low, facts.c2c_latency_ns_median, facts.c2c_latency_ns_high, "ns", measured)
    return Machine(
        name="host",
        description="this machine, as measured",
        protocol=Protocol.MESIF,
        topology=HOST,
        nics=None,
        ranges={
            **PRIORS,
            "clock": exactly(facts.tsc_hz / 1e9, "GHz", "measured: time stamp counter"),
            "near": latency,
            "l1": Range(4, 5, 5, "cycles", "published: 4 to 5 on Intel and AMD cores since 2011"),
            "shared_cache": Range(35, 60, 80, "cycles", "prior: L3 of servers since 2017"),
            "window": Range(60, 120, 256, "cycles", "prior: ROB 224 to 512, 2 to 4 instructions a cycle"),
            "misses": Range(8, 12, 16, "lines", "prior: 10 to 16 line fill buffers"),
            "store_buffer": Range(44, 72, 112, "stores", "prior: 44 (Zen) to 112 entries (Golden Cove) since 2017"),
            "together": Range(1, 2, 2, "stores", "prior: stores to one line that commit in a cycle; 2 since Ice Lake"),
        },
    )
