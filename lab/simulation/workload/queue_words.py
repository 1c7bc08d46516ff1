"""The private words that cores write when each has transmit queues of its own, placed as a layout says.

Queue q of port p is number p * ``queues`` + q, as in :mod:`lab.simulation.workload.nic`: the queues of a port lie side
by side, as a driver has them. A layout's array that is shorter is continued with its own stride, in a block of its own.
A layout without words of transmit queues gets two of 8 bytes for each queue, as far apart as its other private words.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, Structure
from lab.simulation.memory import Memory

TAILS = ("tx_posted", "tx_soft_tail")  # frames given to the queue; by the last part of a structure's name
HEADS = ("tx_reclaimed", "tx_soft_head")  # frames known to be sent
OF_RINGS = "ring_"  # words of rings between cores, which there are none of
WORD_BYTES = 8


@dataclass(frozen=True)
class QueueWord:
    """A word of each transmit queue: number of queue 0's, and whether it is touched for each frame or once a turn."""

    first: int
    each_frame: bool


@dataclass(frozen=True)
class Words:
    """Numbers of the words.

    Attributes:
        packet: those that a core increments for each frame, by core.
        batch: those that it increments once a turn with frames, by core.
        receive: those incremented once a batch received, by queue.
        send: those incremented once a batch sent, by queue.
        tail: soft tail of the transmit queues.
        head: their soft head.

    """

    packet: list[list[int]]
    batch: list[list[int]]
    receive: list[list[int]]
    send: list[list[int]]
    tail: QueueWord
    head: QueueWord


def place(memory: Memory, layout: Layout, cores: int, queues: int, limit: int) -> Words:
    """Place the private words of cores and queues.

    Args:
        memory: where.
        layout: which words there are, how far apart and how often they are written.
        cores: how many.
        queues: transmit queues of all ports.
        limit: words of a core that a frame touches at most.

    Raises:
        SimulationError: the layout has fewer cores.

    """
    block = memory.reserve(max((each.end_bytes for each in layout.structures), default=1))
    own = [
        each
        for each in layout.structures
        if each.owner == "core" and each.touched != "rare" and not _last(each).startswith(OF_RINGS)
    ]
    for each in own:
        if each.indexed_by == "core" and each.count < cores:
            raise SimulationError(f"layout {layout.name!r}: {each.name} is for {each.count} cores, not {cores}")

    def of_cores(touch: str) -> list[list[int]]:
        chosen = [each for each in own if each.indexed_by == "core" and each.touched == touch]
        firsts = [
            memory.place([block + each.address(core) for core in range(cores)], each.name)
            for each in (chosen[:limit] if touch == "packet" else chosen)
        ]
        return [[first + core for first in firsts] for core in range(cores)]

    def of_queues(prefix: str) -> list[list[int]]:
        chosen = [each for each in own if each.indexed_by == "queue" and _last(each).startswith(prefix)]
        firsts = [_array(memory, block, each, queues) for each in chosen if _last(each) not in TAILS + HEADS]
        return [[first + queue for first in firsts] for queue in range(queues)]

    return Words(
        packet=of_cores("packet"),
        batch=of_cores("batch"),
        receive=of_queues("rx"),
        send=of_queues("tx"),
        tail=_queue_word(memory, layout, block, TAILS, queues),
        head=_queue_word(memory, layout, block, HEADS, queues),
    )


def _last(structure: Structure) -> str:
    return structure.name.rpartition(".")[2]


def _array(memory: Memory, block: int, structure: Structure, count: int) -> int:
    """Place so many elements of an array; return the number of the first."""
    stride = structure.element_stride_bytes
    if structure.count >= count:
        first = block + structure.offset_bytes
    else:
        first = memory.reserve(count * max(stride, WORD_BYTES))
    return memory.place([first + i * stride for i in range(count)], structure.name)


def _queue_word(memory: Memory, layout: Layout, block: int, names: tuple[str, ...], count: int) -> QueueWord:
    for structure in layout.structures:
        if _last(structure) in names and structure.indexed_by == "queue":
            return QueueWord(_array(memory, block, structure, count), structure.touched == "packet")
    strides = [each.element_stride_bytes for each in layout.structures if each.owner == "core"]
    return QueueWord(memory.allocate(count, max(WORD_BYTES, *strides[:1]), names[-1]), each_frame=True)
