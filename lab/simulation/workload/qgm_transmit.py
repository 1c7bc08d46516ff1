"""Loops and conditions of a QGM's turn that send frames and give descriptors back."""

from __future__ import annotations

from lab.simulation.accesses import Block
from lab.simulation.program import Op
from lab.simulation.workload import qgm_state as r
from lab.simulation.workload.qgm_plan import FORWARDED, PASSED, QUEUE_FULL
from lab.simulation.workload.qgm_writer import BlockWriter, Writer


def _staged_port(w: Writer, block: Block) -> None:
    for _ in w.each_queue():
        skip = w.p.fresh("nothing staged")
        w.p.emit(Op.BEQ, w.at.staged + w.queue, r.ZERO, skip)
        w.steps(block.do)
        w.p.emit(Op.MOVI, w.at.staged + w.queue, 0)
        w.p.label(skip)


def _half_full(w: Writer, block: Block) -> None:
    p, skip = w.p, w.p.fresh("not half full")
    p.emit(Op.SUB, r.FILL, w.at.posted + w.queue, w.at.reclaimed + w.queue)
    p.emit(Op.ADD, r.FILL, r.FILL, w.at.staged + w.queue)
    p.emit(Op.BGE, r.HALF, r.FILL, skip)
    w.steps(block.do)
    p.label(skip)


def _reclaimed_frame(w: Writer, block: Block) -> None:
    """VALUE is how many the device says that it has sent."""
    p, done = w.p, w.at.reclaimed + w.queue
    again, none = p.fresh("reclaim"), p.fresh("nothing sent")
    p.emit(Op.BEQ, done, r.VALUE, none)
    p.label(again)
    p.emit(Op.ANDI, r.SLOT, done, w.plan.entries - 1)
    w.steps(block.do)
    p.emit(Op.ADDI, done, done, 1)
    p.emit(Op.BLT, done, r.VALUE, again)
    p.label(none)


def _staged_frame(w: Writer, block: Block) -> None:
    """What finds no room in the queue is dropped."""
    p, private, posted, staged = w.p, w.private, w.at.posted + w.queue, w.at.staged + w.queue
    full, end = p.fresh("queue full"), p.fresh("staged end")
    first = w.queue * private.staged_each

    def body() -> None:
        p.emit(Op.SUB, r.FILL, posted, w.at.reclaimed + w.queue)
        p.emit(Op.BGE, r.FILL, r.ENTRIES, full)
        p.access(Op.PEEK, r.BUFFER, private.staged_buffer + first, r.FRAME)
        p.access(Op.PEEK, r.STAMP, private.staged_stamp + first, r.FRAME)
        p.emit(Op.ANDI, r.SLOT, posted, w.plan.entries - 1)
        p.emit(Op.ADDI, posted, posted, 1)
        w.steps(block.do)
        w.device.give(w)
        p.emit(Op.COUNT, FORWARDED, r.ONE)

    p.emit(Op.MOVI, r.FRAME, 0)
    w.loop(staged, body)
    p.emit(Op.JMP, c=end)
    p.label(full)
    p.emit(Op.SUB, r.FILL, staged, r.FRAME)
    p.emit(Op.COUNT, QUEUE_FULL, r.FILL)
    p.emit(Op.SUB, r.FILL, r.ZERO, r.FILL)
    p.emit(Op.COUNT, PASSED, r.FILL)
    p.label(end)


def _refilled_frame(w: Writer, block: Block) -> None:
    """FIRST is how many were given back before."""
    p, back, taken = w.p, w.at.given_back + w.queue, w.at.taken + w.queue
    again, none = p.fresh("refill"), p.fresh("refilled")
    p.emit(Op.ADDI, r.FIRST, back, 0)
    p.emit(Op.BEQ, back, taken, none)
    p.label(again)
    p.emit(Op.ANDI, r.SLOT, back, w.plan.entries - 1)
    p.emit(Op.ADDI, back, back, 1)
    w.steps(block.do)
    p.emit(Op.BLT, back, taken, again)
    p.label(none)


def _unannounced(w: Writer, block: Block) -> None:
    """A device that polls is never notified, so it holds from the first frame on."""
    w.steps(block.do)


BLOCKS: dict[str, BlockWriter] = {
    "staged port": _staged_port,
    "half full": _half_full,
    "reclaimed frame": _reclaimed_frame,
    "staged frame": _staged_frame,
    "refilled frame": _refilled_frame,
    "rx unannounced": _unannounced,
    "tx unannounced": _unannounced,
}
