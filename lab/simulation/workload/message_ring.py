"""Messages between two cores as the image's microbenchmark ``ring`` sends them (firmware-images/pix/bench/rings.c).

The ring is qgm/ring.h: each side looks at the other's index only when its copy says full or empty, and publishes its
own once a batch; each slot exchanges a full buffer for an empty one. Both cores write their private words as the QGM
does: those of a packet for each message (the top of the pool twice), those of a batch each turn, and ``polls`` in empty
turns too.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, Structure
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import Agent, Scene
from lab.simulation.workload import shape as s
from lab.simulation.workload.shape import Run

MESSAGES = 0  # statistic: messages put (agent 0) or taken (agent 1)
SLOT_BYTES = 16
PRODUCER, CONSUMER = 1, 2  # numbers of the image's cores
NEXT, SEEN, ENTRIES, BATCH, COUNT, ZERO, ONE, SLOT, FILL = range(9)


@dataclass(frozen=True)
class RingShape:
    """A ring between two cores.

    Attributes:
        batch: messages published at once.
        entries: slots, a power of two.
        work_ps: private work of each side a message.
        pause_ps: what an empty turn waits.
        transfer_ps: cache-to-cache, without the locked instruction.
        range_bytes: what moves together: a line (64) or a prefetched pair (128).

    """

    batch: int
    entries: int
    work_ps: int
    pause_ps: int
    transfer_ps: int
    range_bytes: int


@dataclass(frozen=True)
class _Side:
    """Word numbers that one core writes (its index, its private words), the other's index, and the slots."""

    own: int
    other: int
    slots: int
    packet: tuple[int, ...]
    batch: tuple[int, ...]
    idle: tuple[int, ...]


def scene(shape: RingShape, layout: Layout, run: Run) -> Scene:
    """Build the scene.

    Raises:
        SimulationError: the layout has no index matrices for so many cores.

    """
    memory = Memory()
    block = s.block_of(memory, layout)
    head, tail = layout.matrix("producer", CONSUMER + 1), layout.matrix("consumer", CONSUMER + 1)
    if head is None or tail is None:
        raise SimulationError(f"ring: layout {layout.source} has no index matrices of the rings")
    indices = [memory.place([block + each.address(PRODUCER * each.side + CONSUMER)]) for each in (head, tail)]
    slots = memory.allocate(shape.entries, SLOT_BYTES)
    sides = [
        _side(memory, layout, block, core, (indices[i], indices[1 - i], slots))
        for i, core in enumerate((PRODUCER, CONSUMER))
    ]
    return Scene(
        agents=(Agent(_producer(shape, sides[0])), Agent(_consumer(shape, sides[1]))),
        timing=run.timing,
        transfer_ps=((0, shape.transfer_ps), (shape.transfer_ps, 0)),
        word_lines=memory.lines(shape.range_bytes),
        seed=run.seed,
        warm_ps=run.warm_ps,
        end_ps=run.end_ps,
    )


def _side(memory: Memory, layout: Layout, block: int, core: int, words: tuple[int, int, int]) -> _Side:
    def placed(structures: tuple[Structure, ...]) -> dict[str, int]:
        own = [each for each in structures if each.indexed_by == "core"]
        return {each.name.rpartition(".")[2]: memory.place([block + each.address(core)]) for each in own}

    packet, batch = placed(layout.private_words("packet")), placed(layout.private_words("batch"))
    sends = core == PRODUCER
    a_message = [word for name, word in packet.items() if sends or name != "ring_out"]
    if "pool_head" in packet:
        a_message.append(packet["pool_head"])  # one buffer is taken and one given back
    idle = tuple(batch[name] for name in ("polls", "ring_in") if name in batch)
    return _Side(*words, tuple(a_message), tuple(batch.values()), idle)


def _begin(shape: RingShape) -> Assembler:
    program = Assembler()
    for register, value in ((ZERO, 0), (ONE, 1), (ENTRIES, shape.entries), (BATCH, shape.batch)):
        program.emit(Op.MOVI, register, value)
    program.label("turn")
    program.emit(Op.MOVI, COUNT, 0)
    return program


def _exchange(p: Assembler, shape: RingShape, side: _Side) -> None:
    """Take what lies in the next slot and put something else in."""
    p.emit(Op.ANDI, SLOT, NEXT, shape.entries - 1)
    p.access(Op.PREF, 0, side.slots, SLOT)
    p.emit(Op.WORK, shape.work_ps)
    for word in side.packet:
        p.access(Op.INC, 1, word)
    p.emit(Op.ADDI, NEXT, NEXT, 1)
    p.access(Op.STORE, NEXT, side.slots, SLOT)
    p.emit(Op.COUNT, MESSAGES, ONE)
    p.emit(Op.ADDI, COUNT, COUNT, 1)


def _end(p: Assembler, shape: RingShape, side: _Side) -> Code:
    """Publish and count, or wait a little after a turn without messages."""
    p.label("end")
    p.emit(Op.BEQ, COUNT, ZERO, "idle")
    p.access(Op.STORE, NEXT, side.own)
    for word in side.batch:
        p.access(Op.INC, 1, word)
    p.emit(Op.JMP, c="turn")
    p.label("idle")
    for word in side.idle:
        p.access(Op.INC, 1, word)
    p.emit(Op.WORK, shape.pause_ps)
    p.emit(Op.JMP, c="turn")
    return p.code()


def _producer(shape: RingShape, side: _Side) -> Code:
    p = _begin(shape)
    p.label("again")
    p.emit(Op.SUB, FILL, NEXT, SEEN)
    p.emit(Op.BLT, FILL, ENTRIES, "room")
    p.access(Op.LOAD, SEEN, side.other)
    p.emit(Op.SUB, FILL, NEXT, SEEN)
    p.emit(Op.BGE, FILL, ENTRIES, "end")
    p.label("room")
    _exchange(p, shape, side)
    p.emit(Op.BLT, COUNT, BATCH, "again")
    return _end(p, shape, side)


def _consumer(shape: RingShape, side: _Side) -> Code:
    p = _begin(shape)
    p.emit(Op.BNE, NEXT, SEEN, "again")
    p.access(Op.LOAD, SEEN, side.other)
    p.label("again")
    p.emit(Op.BEQ, NEXT, SEEN, "end")
    _exchange(p, shape, side)
    p.emit(Op.BLT, COUNT, BATCH, "again")
    return _end(p, shape, side)
