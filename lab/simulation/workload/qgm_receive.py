"""Loops and conditions of a QGM's turn that receive frames and find their ways."""

from __future__ import annotations

from lab.simulation.accesses import Access, Block
from lab.simulation.program import Op
from lab.simulation.workload import qgm_state as r
from lab.simulation.workload.qgm_plan import BUSY_TURNS, PASSED, RECEIVED
from lab.simulation.workload.qgm_writer import BlockWriter, Writer


def _queue(w: Writer, block: Block) -> None:
    for _ in w.each_queue():
        w.steps(block.do)


def _received(w: Writer, block: Block) -> None:
    nothing = w.p.fresh("nothing received")
    w.device.unless_received(w, nothing)
    w.steps(block.do)
    w.p.label(nothing)


def _received_frame(w: Writer, block: Block) -> None:
    def body() -> None:
        w.device.find_buffer(w)
        w.steps(block.do)

    w.p.emit(Op.ADDI, r.FIRST, w.at.taken + w.queue, 0)
    w.device.each_received(w, body)
    w.p.emit(Op.ADDI, w.at.taken + w.queue, r.FRAME, 0)


def _classified_frame(w: Writer, block: Block) -> None:
    def body() -> None:
        w.device.find_buffer(w)
        w.steps(block.do)

    w.p.emit(Op.ADDI, r.FRAME, r.FIRST, 0)
    w.loop(w.at.taken + w.queue, body)


def _routed_frame(w: Writer, block: Block) -> None:
    """All private work of a packet is done here."""

    def body() -> None:
        w.device.find_buffer(w)
        w.p.emit(Op.WORK, w.work_ps)
        w.device.route(w)
        w.p.emit(Op.COUNT, RECEIVED, r.ONE)
        w.steps(block.do)
        for word in w.plan.words.packet[w.core]:
            w.p.access(Op.INC, 1, word)

    w.p.emit(Op.ADDI, r.FRAME, r.FIRST, 0)
    w.loop(w.at.taken + w.queue, body)
    w.p.emit(Op.ADDI, r.HANDLED, r.HANDLED, 1)


def _own_port(w: Writer, block: Block) -> None:
    """The frame is staged for the end of the turn."""
    p, private, skip = w.p, w.private, w.p.fresh("not own port")
    p.emit(Op.BNE, r.TARGET, r.ME, skip)
    w.steps(block.do)
    p.emit(Op.GETR, r.SCRATCH, w.at.staged, r.QUEUE)
    p.emit(Op.MULI, r.SLOT, r.QUEUE, private.staged_each)
    p.emit(Op.ADD, r.SLOT, r.SLOT, r.SCRATCH)
    p.access(Op.POKE, r.BUFFER, private.staged_buffer, r.SLOT)
    p.access(Op.POKE, r.STAMP, private.staged_stamp, r.SLOT)
    p.emit(Op.ADDI, r.SCRATCH, r.SCRATCH, 1)
    p.emit(Op.SETR, r.SCRATCH, w.at.staged, r.QUEUE)
    p.emit(Op.COUNT, PASSED, r.ONE)
    p.label(skip)


def _handled(w: Writer, block: Block) -> None:
    skip = w.p.fresh("idle")
    w.p.emit(Op.BEQ, r.HANDLED, r.ZERO, skip)
    w.steps(block.do)
    if all(isinstance(step, Access) for step in block.do):  # the counters at the end of the turn
        for word in w.plan.words.batch[w.core]:
            w.p.access(Op.INC, 1, word)
        w.p.emit(Op.COUNT, BUSY_TURNS, r.ONE)
    w.p.label(skip)


BLOCKS: dict[str, BlockWriter] = {
    "queue": _queue,
    "received": _received,
    "received frame": _received_frame,
    "classified frame": _classified_frame,
    "routed frame": _routed_frame,
    "own port": _own_port,
    "handled": _handled,
}
