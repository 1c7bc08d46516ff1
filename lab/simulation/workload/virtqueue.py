"""Split virtqueues (virtio 1.2, 2.7) in simulated memory, and a QGM's side of them (drivers/virtqueue.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.simulation.memory import Memory
from lab.simulation.program import Op
from lab.simulation.workload import qgm_state as r
from lab.simulation.workload.qgm_plan import Target
from lab.simulation.workload.qgm_writer import Writer

DESCRIPTOR_BYTES = 16  # virtio 1.2, 2.7.5
USED_BYTES, AVAILABLE_BYTES = 8, 2  # an entry of each ring: 2.7.8, 2.7.6
FLAGS_OFFSET_BYTES, INDEX_OFFSET_BYTES, RING_OFFSET_BYTES = 0, 2, 4
BUFFER_STRIDE_BYTES = 2240  # an odd multiple of 64, as the image uses: no two headers share a line


@dataclass(frozen=True)
class Queue:
    """Word numbers of one queue; the parts of a ring follow each other, as the specification says.

    ``stamp`` is not memory of the machine: when the frame of each slot arrived.
    """

    descriptor: int
    available_index: int
    available: int
    used_flags: int
    used_index: int
    used: int
    stamp: int

    @classmethod
    def place(cls, memory: Memory, entries: int, direction: str) -> Queue:
        """Place a queue of a direction, rx or tx."""
        descriptor = memory.allocate(entries, DESCRIPTOR_BYTES, f"{direction}.descriptor")
        available = memory.reserve(RING_OFFSET_BYTES + entries * AVAILABLE_BYTES)
        used = memory.reserve(RING_OFFSET_BYTES + entries * USED_BYTES)
        return cls(
            descriptor,
            memory.place([available + INDEX_OFFSET_BYTES], f"{direction}.available.index"),
            memory.place(_ring(available, entries, AVAILABLE_BYTES), f"{direction}.available.entry"),
            memory.place([used + FLAGS_OFFSET_BYTES], f"{direction}.used.flags"),
            memory.place([used + INDEX_OFFSET_BYTES], f"{direction}.used.index"),
            memory.place(_ring(used, entries, USED_BYTES), f"{direction}.used.entry"),
            memory.place([memory.reserve(1)] * entries, "private"),
        )

    def part(self, name: str) -> int:
        """Return the word of a structure by its name behind the direction: ``used.index``."""
        words = {
            "descriptor": self.descriptor, "available.index": self.available_index, "available.entry": self.available,
            "used.flags": self.used_flags, "used.index": self.used_index, "used.entry": self.used,
        }  # fmt: skip
        return words[name]


def _ring(base: int, entries: int, entry_bytes: int) -> list[int]:
    return [base + RING_OFFSET_BYTES + i * entry_bytes for i in range(entries)]


@dataclass(frozen=True)
class Port:
    """A port's two queues, and the word of its first receive buffer: slot i always has buffer i."""

    receive: Queue
    transmit: Queue
    buffer: int

    @classmethod
    def place(cls, memory: Memory, entries: int) -> Port:
        """Place a port."""
        queues = Queue.place(memory, entries, "rx"), Queue.place(memory, entries, "tx")
        return cls(*queues, memory.allocate(entries, BUFFER_STRIDE_BYTES, "buffer.header"))


class VirtioPorts:
    """The queues of one QGM. Frames of its n-th port leave by that which ``way_out`` says."""

    telling = frozenset({"rx.used.entry", "rx.descriptor"})  # the number of the descriptor, the buffer's address

    def __init__(self, ports: list[Port], way_out: list[int]) -> None:
        """Take the ports that the QGM owns; way_out gives the position among them for each."""
        self._ports, self._way_out = ports, way_out

    def start(self, writer: Writer) -> None:
        """All buffers are available at the start."""
        writer.p.emit(Op.MOVI, r.VALUE, writer.plan.entries)
        for port in self._ports:
            writer.p.access(Op.STORE, r.VALUE, port.receive.available_index)

    def target(self, writer: Writer, structure: str) -> Target:
        """Everything is there; frames of a turn are told by VALUE, descriptors to send bear the buffer."""
        direction, _, part = structure.partition(".")
        port = self._ports[writer.queue]
        word = (port.receive if direction == "rx" else port.transmit).part(part)
        if part in ("used.index", "used.flags"):
            return Target(word, value=r.VALUE if part == "used.index" else None)
        if structure == "rx.descriptor":
            writer.p.emit(Op.ADD, r.SLOT, r.SLOT, r.WHERE)
        return Target(word, r.SLOT, r.BUFFER)

    def route(self, writer: Writer) -> None:
        """Frames leave by the other port of the pair, which this QGM owns too."""
        writer.p.emit(Op.ADDI, r.TARGET, r.ME, 0)
        writer.p.emit(Op.MOVI, r.QUEUE, self._way_out[writer.queue])

    def unless_received(self, writer: Writer, nothing: str) -> None:
        """VALUE is the used index; LAST becomes the end of the batch."""
        p, taken, whole = writer.p, writer.at.taken + writer.queue, writer.p.fresh("whole batch")
        p.emit(Op.BEQ, r.VALUE, taken, nothing)
        p.emit(Op.ADD, r.LAST, taken, r.BATCH)
        p.emit(Op.BLT, r.LAST, r.VALUE, whole)
        p.emit(Op.ADDI, r.LAST, r.VALUE, 0)
        p.label(whole)

    def each_received(self, writer: Writer, body: Callable[[], None]) -> None:
        """How many there are is known."""
        writer.p.emit(Op.ADDI, r.FRAME, r.FIRST, 0)
        writer.loop(r.LAST, body)

    def find_buffer(self, writer: Writer) -> None:
        """Slot i has buffer i."""
        port = self._ports[writer.queue]
        writer.p.emit(Op.ANDI, r.SLOT, r.FRAME, writer.plan.entries - 1)
        writer.p.emit(Op.ADDI, r.BUFFER, r.SLOT, port.buffer)
        writer.p.access(Op.PEEK, r.STAMP, port.receive.stamp, r.SLOT)

    def release(self, writer: Writer, structure: str) -> None:
        """Publish the available index: descriptors given so far."""
        port, p = self._ports[writer.queue], writer.p
        if structure == "rx.available.index":
            p.emit(Op.ADD, r.SCRATCH, writer.at.given_back + writer.queue, r.ENTRIES)
            p.access(Op.STORE, r.SCRATCH, port.receive.available_index)
        else:
            p.access(Op.STORE, writer.at.posted + writer.queue, port.transmit.available_index)

    def give(self, writer: Writer) -> None:
        """The other side finds buffer and arrival time by the slot."""
        writer.p.access(Op.POKE, r.STAMP, self._ports[writer.queue].transmit.stamp, r.SLOT)
