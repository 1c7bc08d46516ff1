"""Messages between cores as the image's microbenchmarks ``ring`` and ``matrix`` send them (pix/bench/rings.c).

The ring is qgm/ring.h: each side looks at the other's index only when its copy says full or empty, and publishes its
own once a batch; each slot exchanges a full buffer for an empty one. Every core writes its private words as the QGM
does: those of a packet for each message (the top of the pool twice), those of a batch each turn that handled a message,
and ``polls`` in empty turns too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, Structure
from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import Agent, Scene
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.timing import cycle_ps, range_bytes, timing, transfer_ps

PUT, TAKEN = 0, 1  # statistics: messages put into rings, and taken out of them
SLOT_BYTES = 16
PAUSE_CYCLES = 63  # of the pause instruction on this project's test host; 40 to 140 elsewhere, which rates hardly feel
VARIANTS = {"": "ring", "ring": "ring", "matrix": "matrix"}
MAX_CORES = 8
ENTRIES, BATCH, COUNT, ZERO, ONE, SLOT, FILL, HANDLED, RECEIVED = range(9)
# Registers of the rings to and from the other cores, by the other core's number.
TO_NEXT, TO_SEEN, FROM_NEXT, FROM_SEEN = 16, 32, 48, 64


@dataclass(frozen=True)
class _Ring:
    """Word numbers of one ring."""

    head: int
    tail: int
    slots: int


@dataclass(frozen=True)
class _Core:
    """What one core sends into, takes from and writes for itself, by word numbers; rings by the other core's number."""

    to: dict[int, _Ring]
    from_: dict[int, _Ring]
    message: tuple[int, ...]
    sent: tuple[int, ...]
    batch: tuple[int, ...]
    received: tuple[int, ...]
    polls: tuple[int, ...]


@dataclass(frozen=True)
class _Times:
    """What a message and an empty turn take besides their accesses, and the entries and batch of a ring."""

    work_ps: int
    pause_ps: int
    entries: int
    batch: int


class MessageRing:
    """``message-ring``; ``work`` of the machine is that of one side a message, accesses left out."""

    name = "message-ring"
    title = (
        "messages over the image's inter-core rings: from one core to one (ring), or from each to each other (matrix)"
    )

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene of one draw. Cores are near each other, as on one socket.

        Raises:
            SimulationError: unknown variant, too few or many cores, or the layout has no index matrices for them.

        """
        numbers_of = _cores_of(case)
        memory = Memory()
        cores = _place(memory, layout, case, numbers_of)
        cycle = cycle_ps(numbers)
        times = _Times(
            work_ps=max(int(numbers["work"] * cycle), 1),
            pause_ps=int(PAUSE_CYCLES * cycle),
            entries=case.queue_length,
            batch=case.batch,
        )
        run = timing(machine, numbers)
        near_ps = transfer_ps(numbers, "near", run.locked_ps)
        count = len(cores)
        scene = Scene(
            agents=tuple(Agent(_program(core, times)) for core in cores),
            timing=run,
            transfer_ps=tuple(tuple(0 if a == b else near_ps for b in range(count)) for a in range(count)),
            word_lines=memory.lines(range_bytes(numbers)),
            seed=window.seed,
            warm_ps=window.warm_ps,
            end_ps=window.end_ps,
        )
        return Built(
            scene=scene,
            word_names=memory.names(),
            counting=tuple(range(count)),
            done=TAKEN,
            unit="messages",
            caps_pps={},
        )


def _cores_of(case: Case) -> range:
    """Return the numbers of the cores that take part: the image's first core is its shell, and has none."""
    if case.variant not in VARIANTS:
        raise SimulationError(f"message-ring: no variant {case.variant!r}; there are: ring, matrix")
    count = 2 if VARIANTS[case.variant] == "ring" else case.cores
    if not 2 <= count <= MAX_CORES:
        raise SimulationError(f"message-ring: a matrix of {count} cores; there must be 2 to {MAX_CORES}")
    return range(1, count + 1)


def _place(memory: Memory, layout: Layout, case: Case, numbers: Sequence[int]) -> list[_Core]:
    highest = max(numbers)
    head, tail = layout.matrix("producer", highest + 1), layout.matrix("consumer", highest + 1)
    if head is None or tail is None:
        raise SimulationError(f"message-ring: layout {layout.name} has no index matrices of {highest + 1} cores")
    block = memory.reserve(max(each.end_bytes for each in layout.structures))
    rings: dict[tuple[int, int], _Ring] = {}
    for producer in numbers:
        for consumer in numbers:
            if producer == consumer or (VARIANTS[case.variant] == "ring" and producer != numbers[0]):
                continue
            at = producer * head.side + consumer, producer * tail.side + consumer
            rings[producer, consumer] = _Ring(
                head=memory.place([block + head.address(at[0])], head.name),
                tail=memory.place([block + tail.address(at[1])], tail.name),
                slots=memory.allocate(case.queue_length, SLOT_BYTES, "ring.slot"),
            )
    return [_core(memory, layout, block, core, rings) for core in numbers]


def _core(memory: Memory, layout: Layout, block: int, me: int, rings: dict[tuple[int, int], _Ring]) -> _Core:
    def placed(structures: tuple[Structure, ...]) -> dict[str, int]:
        own = [each for each in structures if each.indexed_by == "core"]
        return {each.name.rpartition(".")[2]: memory.place([block + each.address(me)], each.name) for each in own}

    packet, batch = placed(layout.private_words("packet")), placed(layout.private_words("batch"))
    sent = [packet.pop("ring_out")] if "ring_out" in packet else []
    received = [batch.pop("ring_in")] if "ring_in" in batch else []
    polls = [batch.pop("polls")] if "polls" in batch else []
    pool = [packet["pool_head"]] if "pool_head" in packet else []  # one buffer is taken and one given back
    return _Core(
        to={consumer: ring for (producer, consumer), ring in rings.items() if producer == me},
        from_={producer: ring for (producer, consumer), ring in rings.items() if consumer == me},
        message=(*packet.values(), *pool),
        sent=tuple(sent),
        batch=tuple(batch.values()),
        received=tuple(received),
        polls=tuple(polls),
    )


def _program(core: _Core, times: _Times) -> Code:
    """Return a core's loop: put a batch into each ring, take one from each, count, and pause when there was nothing."""
    p = Assembler()
    for register, value in ((ZERO, 0), (ONE, 1), (ENTRIES, times.entries), (BATCH, times.batch)):
        p.emit(Op.MOVI, register, value)
    p.label("turn")
    p.emit(Op.MOVI, HANDLED, 0)
    p.emit(Op.MOVI, RECEIVED, 0)
    for other in sorted({*core.to, *core.from_}):
        if other in core.to:
            _put(p, core, other, times)
        if other in core.from_:
            _take(p, core, other, times)
    p.emit(Op.BEQ, RECEIVED, ZERO, "nothing received")
    _count(p, core.received)
    p.label("nothing received")
    p.emit(Op.BEQ, HANDLED, ZERO, "idle")
    _count(p, (*core.batch, *core.polls))
    p.emit(Op.JMP, c="turn")
    p.label("idle")
    _count(p, core.polls)
    p.emit(Op.WORK, times.pause_ps)
    p.emit(Op.JMP, c="turn")
    return p.code()


def _count(p: Assembler, words: Sequence[int]) -> None:
    for word in words:
        p.access(Op.INC, 1, word)


def _exchange(p: Assembler, ring: _Ring, next_: int, words: Sequence[int], times: _Times) -> None:
    """Take what lies in the next slot and put something else in."""
    p.emit(Op.ANDI, SLOT, next_, times.entries - 1)
    p.access(Op.PREF, 0, ring.slots, SLOT)
    p.emit(Op.WORK, times.work_ps)
    _count(p, words)
    p.emit(Op.ADDI, next_, next_, 1)
    p.access(Op.STORE, next_, ring.slots, SLOT)
    p.emit(Op.ADDI, COUNT, COUNT, 1)


def _put(p: Assembler, core: _Core, other: int, times: _Times) -> None:
    """Put up to a batch of messages into the ring to another core, and publish them."""
    ring, next_, seen = core.to[other], TO_NEXT + other, TO_SEEN + other
    again, room, end, none = (p.fresh(word) for word in ("put", "room", "put end", "put none"))
    p.emit(Op.MOVI, COUNT, 0)
    p.label(again)
    p.emit(Op.SUB, FILL, next_, seen)
    p.emit(Op.BLT, FILL, ENTRIES, room)
    p.access(Op.LOAD, seen, ring.tail)
    p.emit(Op.SUB, FILL, next_, seen)
    p.emit(Op.BGE, FILL, ENTRIES, end)
    p.label(room)
    _exchange(p, ring, next_, (*core.message, *core.sent), times)
    p.emit(Op.COUNT, PUT, ONE)
    p.emit(Op.BLT, COUNT, BATCH, again)
    p.label(end)
    p.emit(Op.BEQ, COUNT, ZERO, none)
    p.access(Op.STORE, next_, ring.head)
    p.emit(Op.ADD, HANDLED, HANDLED, COUNT)
    p.label(none)


def _take(p: Assembler, core: _Core, other: int, times: _Times) -> None:
    """Take up to a batch of the messages that are known of from the ring of another core, and give the slots back."""
    ring, next_, seen = core.from_[other], FROM_NEXT + other, FROM_SEEN + other
    again, end, none = (p.fresh(word) for word in ("take", "take end", "take none"))
    p.emit(Op.MOVI, COUNT, 0)
    p.emit(Op.BNE, next_, seen, again)
    p.access(Op.LOAD, seen, ring.head)
    p.label(again)
    p.emit(Op.BEQ, next_, seen, end)
    _exchange(p, ring, next_, core.message, times)
    p.emit(Op.COUNT, TAKEN, ONE)
    p.emit(Op.BLT, COUNT, BATCH, again)
    p.label(end)
    p.emit(Op.BEQ, COUNT, ZERO, none)
    p.access(Op.STORE, next_, ring.tail)
    p.emit(Op.ADD, HANDLED, HANDLED, COUNT)
    p.emit(Op.ADD, RECEIVED, RECEIVED, COUNT)
    p.label(none)
