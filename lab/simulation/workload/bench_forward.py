"""Workload ``forward``: the image's microbenchmark of that name (firmware-images/pix/bench/forward.c).

Routing between synthetic ports, one a core, without devices. Its turn is described beside its code, as the QGM's is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lab.paths import ROOT
from lab.simulation import accesses
from lab.simulation.accesses import Block
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout
from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.program import Op
from lab.simulation.workload import qgm, qgm_rings
from lab.simulation.workload import qgm_state as r
from lab.simulation.workload.board import Board
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.qgm_plan import FORWARDED, PASSED, RECEIVED, Target
from lab.simulation.workload.qgm_state import MAX_CORES
from lab.simulation.workload.qgm_writer import BlockWriter, Writer
from lab.simulation.workload.timing import cycle_ps, range_bytes

BENCH_ACCESSES = ROOT / "firmware-images" / "pix" / "bench" / "accesses.yaml"
BUFFER_BYTES = 192  # BENCH_BUFFER_SIZE of window.h

# Registers behind the arrays of a core with one port and MAX_CORES peers.
HANDED_ON = 124  # of the received frames
WAITS_FOR = 125  # 1 + the core whose ring was full when the next of them was tried; 0: it was not tried


class SyntheticPort:
    """A port that always has frames, and is done with sent ones at once."""

    telling: frozenset[str] = frozenset()  # a core knows its own buffers

    def __init__(self, buffer: int) -> None:
        """Take the word of the first of as many buffers as the port has descriptors."""
        self._buffer = buffer

    def start(self, writer: Writer) -> None:
        """There is no device that had to be told anything."""

    def target(self, writer: Writer, structure: str) -> Target | None:
        """There are no queues in memory that others see."""
        return None

    def route(self, writer: Writer) -> None:
        """Every core is as likely."""
        writer.p.emit(Op.RAND, r.TARGET, writer.plan.cores)

    def unless_received(self, writer: Writer, nothing: str) -> None:
        """There always are frames, but none is taken while one waits for room in a ring."""
        writer.p.emit(Op.BNE, HANDED_ON, writer.at.taken, nothing)

    def each_received(self, writer: Writer, body: Callable[[], None]) -> None:
        """There always is a whole batch, or as much of it as the queue has room for."""
        writer.p.emit(Op.ADDI, r.FRAME, r.FIRST, 0)
        writer.p.emit(Op.ADDI, r.LAST, r.FIRST, min(writer.plan.batch, writer.plan.entries))
        writer.loop(r.LAST, body)

    def find_buffer(self, writer: Writer) -> None:
        """Slot i has buffer i."""
        writer.p.emit(Op.ANDI, r.SLOT, r.FRAME, writer.plan.entries - 1)
        writer.p.emit(Op.ADDI, r.BUFFER, r.SLOT, self._buffer)

    def release(self, writer: Writer, structure: str) -> None:
        """Nobody has to be told."""

    def give(self, writer: Writer) -> None:
        """Nobody has to be told."""


def _routed_frame(w: Writer, block: Block) -> None:
    """All private work of a packet is done when it is tried first; one that finds no room ends the loop."""
    p = w.p
    again, tried, handed_on, end = (p.fresh(name) for name in ("again", "tried", "handed on", "no room"))
    p.emit(Op.ADDI, r.FRAME, HANDED_ON, 0)
    p.label(again)
    w.device.find_buffer(w)
    p.emit(Op.ADDI, r.TARGET, WAITS_FOR, -1)
    p.emit(Op.BNE, WAITS_FOR, r.ZERO, tried)
    p.emit(Op.WORK, w.work_ps)
    w.device.route(w)
    p.emit(Op.COUNT, RECEIVED, r.ONE)
    for word in w.plan.words.packet[w.core]:
        p.access(Op.INC, 1, word)
    p.label(tried)
    w.steps(block.do)
    p.emit(Op.ADDI, WAITS_FOR, r.TARGET, 1)
    p.emit(Op.BEQ, r.TARGET, r.ME, handed_on)
    p.emit(Op.BGE, r.FILL, r.ENTRIES, end)  # of the ring, as the steps have found it
    p.label(handed_on)
    p.emit(Op.MOVI, WAITS_FOR, 0)
    p.emit(Op.ADDI, r.HANDLED, r.HANDLED, 1)
    p.emit(Op.ADDI, HANDED_ON, HANDED_ON, 1)
    p.emit(Op.ADDI, r.FRAME, r.FRAME, 1)
    p.emit(Op.BLT, r.FRAME, w.at.taken, again)
    p.label(end)


def _own_port(w: Writer, block: Block) -> None:
    """The frame is sent at once; in frames that crossed TARGET is this core."""
    p, skip = w.p, w.p.fresh("not own port")
    p.emit(Op.BNE, r.TARGET, r.ME, skip)
    w.steps(block.do)
    p.emit(Op.ADDI, w.at.posted, w.at.posted, 1)
    p.emit(Op.COUNT, FORWARDED, r.ONE)
    p.emit(Op.COUNT, PASSED, r.ONE)
    p.label(skip)


def _half_full(w: Writer, block: Block) -> None:
    """VALUE is how many are sent: all that were posted before this frame."""
    w.p.emit(Op.SUB, r.FILL, w.at.posted, w.at.reclaimed)
    w.p.emit(Op.ADDI, r.VALUE, w.at.posted, 0)
    w.unless(Op.BLT, r.FILL, r.HALF, block)


def _own_ones(w: Writer, block: Block) -> None:
    """The register that a QGM counts staged frames in is what was posted when it was counted last."""
    skip = w.p.fresh("none of its own")
    w.p.emit(Op.BEQ, w.at.posted, w.at.staged, skip)
    w.steps(block.do)
    w.p.emit(Op.ADDI, w.at.staged, w.at.posted, 0)
    w.p.label(skip)


def _crossed_frame(w: Writer, block: Block) -> None:
    w.p.emit(Op.ADDI, r.TARGET, r.ME, 0)
    qgm_rings.BLOCKS["crossed frame"](w, block)
    w.p.emit(Op.ADDI, r.HANDLED, r.HANDLED, 1)
    w.p.emit(Op.ADDI, r.TAKEN_OVER, r.TAKEN_OVER, 1)


BLOCKS: dict[str, BlockWriter] = {
    **qgm.BLOCKS,
    "routed frame": _routed_frame,
    "own port": _own_port,
    "half full": _half_full,
    "own ones": _own_ones,
    "crossed frame": _crossed_frame,
}


@dataclass(frozen=True)
class BenchForward:
    """The workload; see the module."""

    name: str = field(default="forward", init=False)
    title: str = field(
        default="the image's microbenchmark: n cores route between synthetic ports, one each", init=False
    )

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene: the cores, nothing else.

        Raises:
            SimulationError: not one port a core, or a layout for fewer cores.
            UsageError: the machine has not so many cores, or no such placement.

        """
        if case.ports != case.cores or case.cores > MAX_CORES or case.variant or case.offered_pps is not None:
            raise SimulationError(
                f"{self.name}: {case.ports} ports for {case.cores} cores, variant {case.variant!r}: there must be one "
                f"synthetic port a core, at most {MAX_CORES}, always full, and no variant"
            )
        memory = Memory()
        board = Board.of(machine, numbers, case)
        work_ps = int(numbers["work"] * cycle_ps(numbers))
        plan = qgm.plan(memory, accesses.load(BENCH_ACCESSES), layout, case, numbers, board.timing, window, work_ps)
        buffers = [memory.allocate(case.queue_length, BUFFER_BYTES, "buffer.header") for _ in range(case.cores)]
        ports = [SyntheticPort(buffer) for buffer in buffers]
        agents = qgm.agents(memory, plan, [[core] for core in range(case.cores)], ports, BLOCKS)
        return Built(
            scene=board.scene(agents, [], memory.lines(range_bytes(numbers)), window),
            word_names=memory.names(),
            counting=tuple(range(case.cores)),
            done=PASSED,
            unit="packets",
            caps_pps={},
            cpu_pps=case.cores * numbers["clock"] * 1e9 / numbers["work"],
        )
