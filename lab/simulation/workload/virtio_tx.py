"""A transmit queue as the image's microbenchmark ``tx`` drives it (firmware-images/pix/bench/tx.c).

Core 1 posts frames into a split virtqueue (virtio 1.2, 2.7) and takes descriptors back once half of the queue is out;
core 2 is the device: it polls, looks at each descriptor and returns all in order. Frames themselves are not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.simulation.layout import Layout, Structure
from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import Agent, Scene
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.timing import cycle_ps, range_bytes, timing, transfer_ps

POSTED, RETURNED = 0, 1  # statistics: frames given to the device, and by the device
DRIVER, DEVICE, PAIR = 1, 2, 0  # numbers of the cores, and of the queue pair
DEVICE_BATCH = 64
PAUSE_CYCLES = 63  # of the pause instruction on this project's test host
DESCRIPTOR_BYTES, AVAILABLE_BYTES, USED_BYTES, INDEX_OFFSET_BYTES = 16, 2, 8, 2  # virtio 1.2, 2.7.5, 2.7.6, 2.7.8
ZERO, ONE, POSTS, RECLAIMED, SEEN, COUNT, SLOT, OUT, SIZE, HALF, BATCH = range(11)


@dataclass(frozen=True)
class _Words:
    """Word numbers of the queue, and those that each core writes for itself, by when."""

    descriptor: int
    available_index: int
    available: int
    used_index: int
    used: int
    pool: tuple[int, ...]
    reclaimed: tuple[int, ...]
    posted: tuple[int, ...]
    busy: tuple[tuple[int, ...], tuple[int, ...]]
    polls: tuple[tuple[int, ...], tuple[int, ...]]


class VirtioTx:
    """``virtio-tx``; ``work`` of the machine is that of one side a frame, accesses left out."""

    name = "virtio-tx"
    title = "one core transmits by a split virtqueue, another is the device that polls it"

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene of one draw; the cores are near each other."""
        memory = Memory()
        words = _place(memory, layout, case.queue_length)
        cycle = cycle_ps(numbers)
        run = timing(machine, numbers)
        near_ps = transfer_ps(numbers, "near", run.locked_ps)
        work_ps, pause_ps = max(int(numbers["work"] * cycle), 1), int(PAUSE_CYCLES * cycle)
        scene = Scene(
            agents=(Agent(_driver(words, case, work_ps, pause_ps)), Agent(_device(words, case, work_ps, pause_ps))),
            timing=run,
            transfer_ps=((0, near_ps), (near_ps, 0)),
            word_lines=memory.lines(range_bytes(numbers)),
            seed=window.seed,
            warm_ps=window.warm_ps,
            end_ps=window.end_ps,
        )
        return Built(
            scene=scene,
            word_names=memory.names(),
            counting=(1,),
            done=RETURNED,
            unit="packets",
            caps_pps={},
        )


def _place(memory: Memory, layout: Layout, entries: int) -> _Words:
    block = memory.reserve(max((each.end_bytes for each in layout.structures), default=1))
    descriptor = memory.allocate(entries, DESCRIPTOR_BYTES, "tx.descriptor")

    def queue_part(name: str, size_bytes: int) -> tuple[int, int]:
        """Place the index of a ring and its entries behind it."""
        base = memory.reserve(4 + entries * size_bytes)
        index = memory.place([base + INDEX_OFFSET_BYTES], f"{name}.index")
        return index, memory.place([base + 4 + i * size_bytes for i in range(entries)], f"{name}.entry")

    def own(names: Sequence[str], number: int) -> tuple[int, ...]:
        """Place the words of these names that belong to a core or queue pair, as far as the layout has them."""
        found: list[Structure] = [each for each in layout.structures if each.name.rpartition(".")[2] in names]
        return tuple(memory.place([block + each.address(number)], each.name) for each in found)

    busy = ("busy_cycles", "busy_packets", "busy_polls")
    available_index, available = queue_part("tx.available", AVAILABLE_BYTES)
    used_index, used = queue_part("tx.used", USED_BYTES)
    return _Words(
        descriptor=descriptor,
        available_index=available_index,
        available=available,
        used_index=used_index,
        used=used,
        pool=own(("pool_head",), DRIVER),
        reclaimed=own(("tx_reclaimed",), PAIR),
        posted=own(("tx_posted", "tx_packets", "tx_bytes"), PAIR),
        busy=(own(busy, DRIVER), own(busy, DEVICE)),
        polls=(own(("polls",), DRIVER), own(("polls",), DEVICE)),
    )


def _count(p: Assembler, words: Sequence[int]) -> None:
    for word in words:
        p.access(Op.INC, 1, word)


def _end_of_turn(p: Assembler, words: _Words, side: int, pause_ps: int) -> Code:
    """Count the turn, or pause after one that found nothing to do (COUNT is 0)."""
    p.emit(Op.BEQ, COUNT, ZERO, "idle")
    _count(p, (*words.busy[side], *words.polls[side]))
    p.emit(Op.JMP, c="turn")
    p.label("idle")
    _count(p, words.polls[side])
    p.emit(Op.WORK, pause_ps)
    p.emit(Op.JMP, c="turn")
    return p.code()


def _driver(words: _Words, case: Case, work_ps: int, pause_ps: int) -> Code:
    entries = case.queue_length
    p = Assembler()
    for register, value in ((ONE, 1), (SIZE, entries), (HALF, entries // 2 + 1), (BATCH, case.batch)):
        p.emit(Op.MOVI, register, value)
    p.label("turn")
    p.emit(Op.MOVI, COUNT, 0)
    p.emit(Op.SUB, OUT, POSTS, RECLAIMED)
    p.emit(Op.BLT, OUT, HALF, "post")
    p.access(Op.LOAD, SEEN, words.used_index)
    p.emit(Op.BEQ, SEEN, RECLAIMED, "post")
    p.label("reclaim")
    p.emit(Op.ANDI, SLOT, RECLAIMED, entries - 1)
    p.access(Op.PREF, 0, words.used, SLOT)
    p.access(Op.PREF, 0, words.available, SLOT)
    p.access(Op.PREF, 0, words.descriptor, SLOT)
    _count(p, words.pool)
    p.emit(Op.ADDI, RECLAIMED, RECLAIMED, 1)
    p.emit(Op.BLT, RECLAIMED, SEEN, "reclaim")
    _count(p, words.reclaimed)
    p.label("post")
    p.emit(Op.SUB, OUT, POSTS, RECLAIMED)
    p.emit(Op.BGE, OUT, SIZE, "posted")
    p.emit(Op.ANDI, SLOT, POSTS, entries - 1)
    p.access(Op.PREF, 0, words.available, SLOT)
    p.emit(Op.WORK, work_ps)
    _count(p, words.pool)
    p.access(Op.STORE, POSTS, words.descriptor, SLOT)
    p.emit(Op.ADDI, POSTS, POSTS, 1)
    p.emit(Op.COUNT, POSTED, ONE)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    p.emit(Op.BLT, COUNT, BATCH, "post")
    p.label("posted")
    p.emit(Op.BEQ, COUNT, ZERO, "end")
    _count(p, words.posted)
    p.access(Op.STORE, POSTS, words.available_index)
    p.label("end")
    return _end_of_turn(p, words, 0, pause_ps)


def _device(words: _Words, case: Case, work_ps: int, pause_ps: int) -> Code:
    p = Assembler()
    p.emit(Op.MOVI, ONE, 1)
    p.emit(Op.MOVI, BATCH, DEVICE_BATCH)
    p.label("turn")
    p.emit(Op.MOVI, COUNT, 0)
    p.access(Op.LOAD, SEEN, words.available_index)
    p.emit(Op.BEQ, SEEN, POSTS, "end")
    p.label("frame")
    p.emit(Op.ANDI, SLOT, POSTS, case.queue_length - 1)
    p.access(Op.PREF, 0, words.available, SLOT)
    p.access(Op.PREF, 0, words.descriptor, SLOT)
    p.emit(Op.WORK, work_ps)
    p.access(Op.STORE, POSTS, words.used, SLOT)
    p.emit(Op.ADDI, POSTS, POSTS, 1)
    p.emit(Op.COUNT, RETURNED, ONE)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    p.emit(Op.BEQ, POSTS, SEEN, "publish")
    p.emit(Op.BLT, COUNT, BATCH, "frame")
    p.label("publish")
    p.access(Op.STORE, POSTS, words.used_index)
    p.label("end")
    return _end_of_turn(p, words, 1, pause_ps)
