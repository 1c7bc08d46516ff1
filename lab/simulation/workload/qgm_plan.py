"""What the QGMs of a scene are made of, and what their queues look like on a device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lab.simulation.accesses import Description
from lab.simulation.memory import Memory
from lab.simulation.program import NO_REGISTER
from lab.simulation.scene import Timing
from lab.simulation.workload.qgm_words import Words

if TYPE_CHECKING:
    from lab.simulation.workload.qgm_writer import Writer

# Statistics of a QGM.
RECEIVED = 0  # frames taken from a receive queue
FORWARDED = 1  # frames put into a transmit queue
RING_FULL = 2  # frames dropped because the ring to another core was full
BUSY_TURNS = 3  # turns that handled frames
QUEUE_FULL = 4  # frames dropped because the transmit queue was full
TAKEN = 5  # frames taken from the rings of other cores
CROSSED = 6  # frames put into them
PASSED = 7  # frames that found their way, less those that the transmit queue had no room for: forwarded, but counted
# one by one, where FORWARDED jumps by a turn's frames and so depends on where a window of time ends
BUSY_PS = 10  # time of turns that handled frames, as the image counts its busy cycles (8 and 9 belong to NICs)

SLOT_BYTES = 16  # struct ring_slot


@dataclass(frozen=True)
class Rings:
    """Slots of the rings between cores, and the arrival time of what lies in them."""

    slot: int
    stamp: int
    cores: int
    length: int

    @classmethod
    def place(cls, memory: Memory, cores: int, length: int) -> Rings:
        """Place the slots of all rings."""
        slots = memory.allocate(cores * cores * length, SLOT_BYTES, "ring.slot")
        return cls(slots, memory.place([memory.reserve(1)] * (cores * cores * length), "private"), cores, length)

    def first(self, producer: int, consumer: int) -> int:
        """Return the position of the first slot of a ring."""
        return (producer * self.cores + consumer) * self.length


@dataclass(frozen=True)
class Plan:
    """What all QGMs of a scene have in common.

    Attributes:
        description: of a turn.
        words: of the layout.
        rings: between the cores.
        timing: of the cores.
        cores: how many QGMs.
        entries: descriptors of every queue, and slots of every ring.
        batch: frames taken from a queue or ring at once.
        work_ps: work a packet, accesses that hit included.
        pause_ps: of the instruction that ends a turn without frames.

    """

    description: Description
    words: Words
    rings: Rings
    timing: Timing
    cores: int
    entries: int
    batch: int
    work_ps: int
    pause_ps: int


@dataclass(frozen=True)
class Target:
    """A word for an access (``word`` + index register), and the register for its value; None where nobody needs it."""

    word: int
    index: int = NO_REGISTER
    value: int | None = None


class Device(Protocol):
    """The queues of one QGM on a device. ``writer.queue`` is the index of the queue that is meant.

    Attributes:
        telling: structures that say where a descriptor or buffer lies.

    """

    telling: frozenset[str]

    def start(self, writer: Writer) -> None:
        """Append what is done once, before the first turn."""

    def target(self, writer: Writer, structure: str) -> Target | None:
        """Return the word that a structure of a queue is on this device; None where it has no such thing.

        May append how it is found.
        """

    def route(self, writer: Writer) -> None:
        """Append: choose the core (TARGET) and its queue (QUEUE) that a frame leaves by."""

    def unless_received(self, writer: Writer, nothing: str) -> None:
        """Append: jump to a label if the queue has no frame."""

    def each_received(self, writer: Writer, body: Callable[[], None]) -> None:
        """Append: body for each frame from FIRST on, at most a batch; FRAME is its number, and the end afterwards."""

    def find_buffer(self, writer: Writer) -> None:
        """Append: SLOT, BUFFER and STAMP are those of the received frame FRAME of the queue."""

    def release(self, writer: Writer, structure: str) -> None:
        """Append: publish an index of the queue to the device."""

    def give(self, writer: Writer) -> None:
        """Append: what the device is to know of the frame that lies in SLOT of the transmit queue now."""
