"""The numbers that shape a forwarding workload, and what is read from its outcome."""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.layout import Layout, Structure
from lab.simulation.memory import Memory
from lab.simulation.scene import Outcome, Scene, Timing

# Statistics that cores count.
RECEIVED = 0  # packets taken from a receive ring
FORWARDED = 1  # packets handed to a transmit ring
REFUSED = 2  # packets dropped because an inter-core ring was full
BUSY_ROUNDS = 3  # rounds of the polling loop that found packets
# Statistics that devices (or the generator's core) count.
OFFERED = 0  # packets that arrived at the port
DELIVERED = 1  # packets put into the receive ring
LOST = 2  # packets that found no free receive descriptor

RING_ENTRIES = 256  # queue length in the talk
DESCRIPTOR_BYTES = 16  # of the 82599 (datasheet 7.1.5, 7.2.3) and of a split virtqueue (virtio 1.1, 2.6.5)
BUFFER_STRIDE_BYTES = 2240  # an odd multiple of 64, as the image uses: no two headers share a line


@dataclass(frozen=True)
class Shape:
    """A forwarding workload.

    Attributes:
        ports: network ports; port p is owned by core p % cores.
        cores: QGMs.
        sockets: over which the cores are spread, first half first.
        batch: packets that a port or ring is polled for at most before the next one.
        work_ps: private work a packet.
        doorbell_ps: store buffer occupancy of a posted device register write.
        arrival_ps: time between two packets arriving at a port.
        limit: packets that arrive at each port, then it falls silent; 0 for no limit.
        near_ps: cache-to-cache transfer within a socket, without the locked instruction.
        far_ps: the same across sockets.
        touched: how many of the layout's private words a packet increments at most.
        range_bytes: what moves together: a line (64) or a prefetched pair (128).

    """

    ports: int
    cores: int
    sockets: int
    batch: int
    work_ps: int
    doorbell_ps: int
    arrival_ps: int
    near_ps: int
    far_ps: int
    touched: int
    range_bytes: int
    limit: int = 0

    def socket(self, core: int) -> int:
        """Return the socket that a core sits on."""
        return core * self.sockets // self.cores


@dataclass(frozen=True)
class Run:
    """How long and from which seed a workload runs."""

    timing: Timing
    seed: int
    warm_ps: int
    end_ps: int


@dataclass(frozen=True)
class Touched:
    """Word numbers of the private words that forwarding increments: packet[owner][i] and batch[owner][i]."""

    packet: list[list[int]]
    batch: list[list[int]]


def touched_words(memory: Memory, layout: Layout, block: int, owners: list[tuple[int, int]], limit: int) -> Touched:
    """Place the private words of each (core, port).

    Args:
        memory: where to place them.
        layout: which words there are.
        block: address of the layout's shared block.
        owners: the pairs of a core and a port of it, for each of which words are needed.
        limit: how many words a packet touches at most.

    """

    def placed(structures: tuple[Structure, ...]) -> list[list[int]]:
        firsts = [
            memory.place([block + each.address(port if each.indexed_by == "queue" else core) for core, port in owners])
            for each in structures
        ]
        return [[first + i for first in firsts] for i in range(len(owners))]

    return Touched(placed(layout.private_words("packet")[:limit]), placed(layout.private_words("batch")))


def block_of(memory: Memory, layout: Layout) -> int:
    """Reserve the shared block of a layout; return its address."""
    return memory.reserve(max((structure.end_bytes for structure in layout.structures), default=1))


def forwarded_pps(scene: Scene, outcome: Outcome, cores: int) -> float:
    """Return the packets a second that the cores forwarded between warm-up and end."""
    packets = sum(outcome.window(core, FORWARDED) for core in range(cores))
    return packets / ((scene.end_ps - scene.warm_ps) * 1e-12)
