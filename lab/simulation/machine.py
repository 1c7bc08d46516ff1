"""Models of the machines: every number is a range with its unit and its source.

Sources: "published" are measurements of others on that hardware; "prior" is a range wide enough that the truth should
lie in it, for what nobody has published. No number here was chosen by looking at a forwarding result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lab.simulation.facts import HostFacts
from lab.simulation.scene import Protocol

NVIENNOT = "published: nviennot/core-to-core-latency"
SNB = "published: Intel optimization manual, Sandy Bridge"


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
class Machine:
    """A machine that can be simulated.

    Attributes:
        name: talk or host.
        sockets: over which the QGMs are spread.
        protocol: MESIF or MOESI.
        ranges: its numbers, by name.
        has_nics: whether its ports are NICs on PCIe (else virtio rings shared with the generator's core).
        ports_per_card: ports that share a PCIe slot.

    """

    name: str
    sockets: int
    protocol: Protocol
    ranges: Mapping[str, Range]
    has_nics: bool
    ports_per_card: int = 2

    def with_work(self, cycles_per_packet: float) -> Machine:
        """Return this machine with the measured work a packet instead of the prior."""
        measured = exactly(cycles_per_packet, "cycles", "measured on one core without sharing")
        return replace(self, ranges={**self.ranges, "work": measured})

    def draws(self, count: int, seed: int) -> list[dict[str, float]]:
        """Draw every number ``count`` times, stratified (Latin hypercube), the same for the same seed."""
        generator = np.random.default_rng(seed)
        columns = {
            name: [
                self.ranges[name].quantile(u) for u in (generator.permutation(count) + generator.random(count)) / count
            ]
            for name in sorted(self.ranges)
        }
        return [{name: column[i] for name, column in columns.items()} for i in range(count)]


_COMMON = {
    "work": Range(100, 175, 250, "cycles", "prior: work of the forwarding path on one core"),
    "locked": Range(15, 20, 25, "cycles", "prior: locked read-modify-write that hits L1"),
    "hold": Range(1, 3, 10, "ns", "prior: least time that a line stays with its new holder"),
    "overlap": Range(0, 0.15, 0.5, "of the window", "prior: work overlapped with index loads, nearer to blocking"),
    "jitter": Range(0.15, 0.175, 0.20, "of a transfer", "published: spread of nviennot's matrices"),
    "upgrade": Range(0, 0.5, 1, "of increments", "prior: load fetches the line shared first, the store asks again"),
    "pair": Range(0, 0.5, 1, "64 or 128 bytes", "prior: the adjacent-line prefetcher moves pairs of lines from 0.5 on"),
    "batch": exactly(32, "packets", "assumed: polling batch of the image"),
}

TALK = Machine(
    name="talk",
    sockets=2,
    protocol=Protocol.MESIF,
    has_nics=True,
    ranges={
        **_COMMON,
        "clock": Range(2.6, 2.8, 3.0, "GHz", "published: Intel ARK, E5-2670 2.60 GHz; prior for turbo on all cores"),
        "near": Range(26.7, 32.4, 41.3, "ns", f"{NVIENNOT}, E5-2690 x2, same socket, p10-p50-p90"),
        "far": Range(111, 114, 147, "ns", f"{NVIENNOT}, E5-2690 x2, other socket, median and modes"),
        "l1": exactly(4, "cycles", SNB),
        "shared_cache": Range(30, 34, 38, "cycles", SNB),
        "window": Range(42, 84, 168, "cycles", f"{SNB}: ROB 168; prior for 1 to 4 instructions a cycle"),
        "misses": Range(5, 8, 10, "lines", f"{SNB}: 10 line fill buffers; prior for how many are used"),
        "store_buffer": exactly(36, "stores", SNB),
        "doorbell": Range(
            40, 72.5, 110, "ns", "published: the talk, i7-4770K register write 72.47 ns; prior for posted"
        ),
        "card": Range(17.5, 19.4, 21.3, "Mpps", "published: X520-DA2, 64-byte frames, both ways"),
        "card_bytes": Range(
            3.2, 3.3, 3.6, "GB/s", "published: PCIe gen2 x8, 4 GB/s less headers of 128 to 256 byte TLPs"
        ),
        "nic_port": exactly(14.88, "Mpps", "published: Intel 82599, one port"),
    },
)


def host(facts: HostFacts) -> Machine:
    """Return the model of this machine; what was not measured is a wide prior."""
    measured = f"measured: CAS ping-pong, {facts.windows} windows, p10-p50-p90"
    latency = Range(facts.c2c_latency_ns_low, facts.c2c_latency_ns_median, facts.c2c_latency_ns_high, "ns", measured)
    return Machine(
        name="host",
        sockets=1,
        protocol=Protocol.MESIF,
        has_nics=False,
        ranges={
            **_COMMON,
            "clock": exactly(facts.tsc_hz / 1e9, "GHz", "measured: time stamp counter"),
            "near": latency,
            "far": latency,
            "l1": Range(4, 5, 5, "cycles", "published: 4 to 5 on Intel and AMD cores since 2011"),
            "shared_cache": Range(35, 60, 80, "cycles", "prior: L3 of servers since 2017"),
            "window": Range(60, 120, 256, "cycles", "prior: ROB 224 to 512, 2 to 4 instructions a cycle"),
            "misses": Range(8, 12, 16, "lines", "prior: 10 to 16 line fill buffers"),
            "store_buffer": Range(44, 56, 64, "stores", "prior: 44 to 72 entries since 2017"),
        },
    )
