"""A single-producer single-consumer ring between two cores; kernel/spsc.h is the same algorithm for this host.

Invariants: only the producer writes the tail, only the consumer the head; both only grow, and head <= tail <= head +
entries. Slot n mod entries is the producer's while n - head < entries, else the consumer's. Message n carries n + 1.
An index is published after what it publishes was written or read, once for each turn of at most ``batch`` messages.

Variants, by when a side looks at the index of the other:
    lamport: afresh before each message (Lamport 1983);
    batched: afresh once a turn;
    cached: only when its copy says full or empty.

At batch 1 a ring may have two regimes that both last: a consumer close behind fights with the producer for every line,
one that lags behind a full ring reads whole lines in peace. On a real machine an interruption of either side may change
it, many times a second. Here it is the seed: with odd ones the consumer begins when the ring is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from lab.errors import near_misses
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, Structure
from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import PS_PER_NS, Timing
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.pair import Pair, place

Variant = Literal["lamport", "batched", "cached"]

MESSAGES = 0  # statistic: messages put (producer) or taken (consumer)
WRONG = 1  # statistic of the consumer: messages that were not the next one
WORD_BYTES = 8
# Of a message besides its access, at batch 1: kernel/spsc.h on one core without sharing took 3 to put, 4 to take.
PUT_CYCLES, TAKE_CYCLES = 2, 3
MESSAGES_A_TRANSFER = 4  # of a line of 8, so that a ring is full in any case
NEXT, SEEN, ENTRIES, BATCH, COUNT, ZERO, ONE, SLOT, VALUE, FILL = range(10)


def queue_layout(apart_bytes: int) -> Layout:
    """Return the two indices of one ring so far apart: 8 shares their line (packed), 128 does not (padded)."""
    index = {"size_bytes": WORD_BYTES, "element_stride_bytes": WORD_BYTES, "count": 1, "touch": "packet"}
    return Layout(
        "packed" if apart_bytes < 64 else "padded",
        f"head and tail {apart_bytes} bytes apart",
        (
            Structure.model_validate({"name": "tail", "offset_bytes": 0, "owner": "producer", **index}),
            Structure.model_validate({"name": "head", "offset_bytes": apart_bytes, "owner": "consumer", **index}),
        ),
    )


@dataclass(frozen=True)
class _Side:
    """Word numbers of the index that a side writes, of the other one and of slot 0; what it does."""

    variant: str
    own: int
    other: int
    slots: int
    case: Case
    work_ps: int


class Spsc:
    """The workload ``spsc``."""

    name = "spsc"
    title = "messages of 8 bytes over one ring between two cores; variants lamport, batched, cached"

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene; the indices are those of the layout's ring from core 0 to core 1, or of its only ring.

        Raises:
            SimulationError: there is no such variant, placement, or ring in the layout.

        """
        variant = case.variant or "lamport"
        if variant not in get_args(Variant):
            raise SimulationError(f"spsc: no variant {variant!r}: {near_misses(variant, get_args(Variant))}")
        pair = place(machine, numbers, case.placement)
        memory = Memory()
        block = memory.reserve(layout.size_bytes)
        tail_of, head_of = _index(layout, "producer"), _index(layout, "consumer")
        tail, head = (memory.place([block + each.address(at)], each.name) for each, at in (tail_of, head_of))
        slots = memory.allocate(case.queue_length, WORD_BYTES, "slot")
        put_ps, take_ps = (_work_ps(numbers, pair.timing, cycles) for cycles in (PUT_CYCLES, TAKE_CYCLES))
        sides = (
            _producer(_Side(variant, tail, head, slots, case, put_ps)),
            _consumer(_Side(variant, head, tail, slots, case, take_ps), _filling_ps(pair, case, window)),
        )
        return Built(
            scene=pair.scene(sides, memory, window),
            word_names=memory.names(),
            counting=(1,),
            done=MESSAGES,
            unit="messages",
            caps_pps={},
        )


def _work_ps(numbers: Numbers, timing: Timing, cycles: int) -> int:
    """Return the work of a message besides its accesses.

    ``message``, where a caller knows it, is the time in ns that a message takes on one core: a load of an index, a
    store or load of the message and a store of the other index are part of it.
    """
    alone_ps = int(numbers.get("message", 0) * PS_PER_NS)
    return max(cycles * timing.issue_ps, alone_ps - timing.l1_ps - 2 * timing.issue_ps)


def _filling_ps(pair: Pair, case: Case, window: Window) -> int:
    """Return how long the consumer stays away at first: 0, or as long as it takes to fill the ring from afar."""
    if window.seed % 2 == 0:
        return 0
    return min(case.queue_length * pair.transfer_ps // MESSAGES_A_TRANSFER, window.warm_ps // 2)


def _index(layout: Layout, owner: str) -> tuple[Structure, int]:
    """Return the structure of the indices that owner writes, and which element is that of the ring from 0 to 1."""
    for structure in layout.structures:
        if structure.owner == owner:
            return structure, int(structure.count > 1)
    raise SimulationError(f"spsc: layout {layout.name!r} ({layout.source}) has no index of a ring's {owner}")


def _begin(side: _Side, away_ps: int = 0) -> Assembler:
    p = Assembler()
    if away_ps:
        p.emit(Op.WORK, away_ps)
    for register, value in ((ZERO, 0), (ONE, 1), (ENTRIES, side.case.queue_length), (BATCH, side.case.batch)):
        p.emit(Op.MOVI, register, value)
    p.label("turn")
    p.emit(Op.MOVI, COUNT, 0)
    if side.variant == "batched":
        p.access(Op.LOAD, SEEN, side.other)
    p.label("message")
    if side.variant == "lamport":
        p.access(Op.LOAD, SEEN, side.other)
    return p


def _end(p: Assembler, side: _Side) -> Code:
    """Go on to the next message of the turn, or publish what the turn did."""
    p.emit(Op.COUNT, MESSAGES, ONE)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    p.emit(Op.BLT, COUNT, BATCH, "message")
    p.label("publish")
    p.emit(Op.BEQ, COUNT, ZERO, "turn")
    p.access(Op.STORE, NEXT, side.own)
    p.emit(Op.JMP, c="turn")
    return p.code()


def _producer(side: _Side) -> Code:
    p = _begin(side)
    p.emit(Op.SUB, FILL, NEXT, SEEN)
    p.emit(Op.BLT, FILL, ENTRIES, "room")
    if side.variant == "cached":
        p.access(Op.LOAD, SEEN, side.other)
        p.emit(Op.SUB, FILL, NEXT, SEEN)
        p.emit(Op.BLT, FILL, ENTRIES, "room")
    p.emit(Op.JMP, c="publish")
    p.label("room")
    p.emit(Op.WORK, side.work_ps)
    p.emit(Op.ANDI, SLOT, NEXT, side.case.queue_length - 1)
    p.emit(Op.ADDI, NEXT, NEXT, 1)
    p.access(Op.STORE, NEXT, side.slots, SLOT)
    return _end(p, side)


def _consumer(side: _Side, away_ps: int) -> Code:
    p = _begin(side, away_ps)
    p.emit(Op.BNE, NEXT, SEEN, "waiting")
    if side.variant == "cached":
        p.access(Op.LOAD, SEEN, side.other)
        p.emit(Op.BNE, NEXT, SEEN, "waiting")
    p.emit(Op.JMP, c="publish")
    p.label("waiting")
    p.emit(Op.WORK, side.work_ps)
    p.emit(Op.ANDI, SLOT, NEXT, side.case.queue_length - 1)
    p.emit(Op.ADDI, NEXT, NEXT, 1)
    p.access(Op.LOAD, VALUE, side.slots, SLOT)
    p.emit(Op.BEQ, VALUE, NEXT, "right")
    p.emit(Op.COUNT, WRONG, ONE)
    p.label("right")
    return _end(p, side)
