"""Loops and conditions of a QGM's turn that are about the rings between cores (firmware-images/pix/qgm/ring.h)."""

from __future__ import annotations

from lab.simulation.accesses import Block
from lab.simulation.program import Op
from lab.simulation.workload import qgm_state as r
from lab.simulation.workload.qgm_plan import CROSSED, RING_FULL, TAKEN
from lab.simulation.workload.qgm_writer import BlockWriter, Writer


def _peer(w: Writer, block: Block) -> None:
    for _ in w.each_peer():
        w.steps(block.do)


def _nothing_known_of(w: Writer, block: Block) -> None:
    w.unless(Op.BNE, w.at.from_next + w.peer, w.at.from_seen + w.peer, block)


def _waiting(w: Writer, block: Block) -> None:
    """LAST is the end of the batch."""
    p, seen, next_ = w.p, w.at.from_seen + w.peer, w.at.from_next + w.peer
    skip, whole = p.fresh("nothing waiting"), p.fresh("whole batch")
    p.emit(Op.BEQ, next_, seen, skip)
    p.emit(Op.ADD, r.LAST, next_, r.BATCH)
    p.emit(Op.BLT, r.LAST, seen, whole)
    p.emit(Op.ADDI, r.LAST, seen, 0)
    p.label(whole)
    w.steps(block.do)
    p.label(skip)


def _crossed_frame(w: Writer, block: Block) -> None:
    """The frames are noted in private memory: their slots are the producer's again afterwards. FIRST is how many."""
    p, rings, private = w.p, w.plan.rings, w.private
    first, next_ = rings.first(w.peer, w.core), w.at.from_next + w.peer

    def body() -> None:
        p.emit(Op.ANDI, r.SLOT, r.FRAME, rings.length - 1)
        p.emit(Op.ADDI, r.SLOT, r.SLOT, first)
        p.access(Op.PEEK, r.BUFFER, rings.slot, r.SLOT)
        p.access(Op.PEEK, r.STAMP, rings.stamp, r.SLOT)
        p.emit(Op.SUB, r.STEP, r.FRAME, next_)
        p.access(Op.POKE, r.BUFFER, private.taken_buffer, r.STEP)
        p.access(Op.POKE, r.STAMP, private.taken_stamp, r.STEP)
        w.steps(block.do)
        p.emit(Op.COUNT, TAKEN, r.ONE)

    p.emit(Op.ADDI, r.FRAME, next_, 0)
    w.loop(r.LAST, body)
    p.emit(Op.SUB, r.FIRST, r.LAST, next_)
    p.emit(Op.ADDI, next_, r.LAST, 0)


def _sent_frame(w: Writer, block: Block) -> None:
    """They leave by any port of this core."""
    p, private = w.p, w.private

    def body() -> None:
        p.access(Op.PEEK, r.BUFFER, private.taken_buffer, r.FRAME)
        p.access(Op.PEEK, r.STAMP, private.taken_stamp, r.FRAME)
        p.emit(Op.ADDI, r.TARGET, r.ME, 0)
        p.emit(Op.RAND, r.QUEUE, len(w.ports))
        w.steps(block.do)

    p.emit(Op.MOVI, r.FRAME, 0)
    w.loop(r.FIRST, body)
    p.emit(Op.ADDI, r.HANDLED, r.HANDLED, 1)
    p.emit(Op.ADDI, r.TAKEN_OVER, r.TAKEN_OVER, 1)


def _crossed(w: Writer, block: Block) -> None:
    if w.peers:
        w.unless(Op.BEQ, r.TAKEN_OVER, r.ZERO, block)


def _message_ring(w: Writer, block: Block) -> None:
    w.steps(block.do)


def _port_of_a_peer(w: Writer, block: Block) -> None:
    if w.peers:
        w.unless(Op.BEQ, r.TARGET, r.ME, block)


def _find_fill(w: Writer) -> None:
    """LAST is the next slot of the ring to TARGET, FILL how many are filled as far as is known."""
    w.p.emit(Op.GETR, r.LAST, w.at.to_next, r.TARGET)
    w.p.emit(Op.GETR, r.FILL, w.at.to_seen, r.TARGET)
    w.p.emit(Op.SUB, r.FILL, r.LAST, r.FILL)


def _ring_seems_full(w: Writer, block: Block) -> None:
    """Words of a row follow each other, the core itself left out."""
    p, skip, lower = w.p, w.p.fresh("ring seems to have room"), w.p.fresh("lower")
    row = [w.plan.words.tail[w.core, peer] for peer in w.peers]
    assert row == list(range(row[0], row[0] + len(row)))
    _find_fill(w)
    p.emit(Op.BLT, r.FILL, r.ENTRIES, skip)
    p.emit(Op.ADDI, r.STEP, r.TARGET, 0)
    p.emit(Op.BLT, r.TARGET, r.ME, lower)
    p.emit(Op.ADDI, r.STEP, r.STEP, -1)
    p.label(lower)
    w.steps(block.do)
    p.emit(Op.SETR, r.VALUE, w.at.to_seen, r.TARGET)
    p.label(skip)


def _ring_is_full(w: Writer, block: Block) -> None:
    skip = w.p.fresh("ring not full")
    _find_fill(w)
    w.p.emit(Op.BLT, r.FILL, r.ENTRIES, skip)
    w.steps(block.do)
    w.p.emit(Op.COUNT, RING_FULL, r.ONE)
    w.p.label(skip)


def _ring_has_room(w: Writer, block: Block) -> None:
    p, rings, skip = w.p, w.plan.rings, w.p.fresh("no room in ring")
    _find_fill(w)
    p.emit(Op.BGE, r.FILL, r.ENTRIES, skip)
    p.emit(Op.ANDI, r.SLOT, r.LAST, rings.length - 1)
    p.emit(Op.MULI, r.SCRATCH, r.TARGET, rings.length)
    p.emit(Op.ADD, r.SLOT, r.SLOT, r.SCRATCH)
    p.emit(Op.ADDI, r.SLOT, r.SLOT, rings.first(w.core, 0))
    w.steps(block.do)
    p.access(Op.POKE, r.STAMP, rings.stamp, r.SLOT)
    p.emit(Op.ADDI, r.LAST, r.LAST, 1)
    p.emit(Op.SETR, r.LAST, w.at.to_next, r.TARGET)
    p.emit(Op.COUNT, CROSSED, r.ONE)
    p.label(skip)


def _peer_with_frames(w: Writer, block: Block) -> None:
    for _ in w.each_peer():
        skip, next_, known = w.p.fresh("published"), w.at.to_next + w.peer, w.at.to_published + w.peer
        w.p.emit(Op.BEQ, next_, known, skip)
        w.steps(block.do)
        w.p.emit(Op.ADDI, known, next_, 0)
        w.p.label(skip)


BLOCKS: dict[str, BlockWriter] = {
    "peer": _peer,
    "nothing known of": _nothing_known_of,
    "waiting": _waiting,
    "crossed frame": _crossed_frame,
    "sent frame": _sent_frame,
    "crossed": _crossed,
    "message ring": _message_ring,
    "port of a peer": _port_of_a_peer,
    "ring seems full": _ring_seems_full,
    "ring is full": _ring_is_full,
    "ring has room": _ring_has_room,
    "peer with frames": _peer_with_frames,
}
