"""How a core gives frames to its own transmit queues, as pieces of its program.

Queue ``core`` of each port is the core's own. Soft tail and head of a queue (frames given, frames known to be sent) are
private words of the core; where the layout writes them for each frame, the tail is loaded before each descriptor (its
address depends on it), else the core keeps both in registers and stores them once a turn.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.program import Assembler, Op
from lab.simulation.workload.nic import Nics
from lab.simulation.workload.queue_words import Words

# Statistics of a core.
GIVEN = 1  # frames put into a transmit queue
REFUSED = 2  # frames dropped because the queue was full

# Registers; those from TAILS on are arrays over ports.
ZERO, ONE, BATCH, ENTRIES, QUEUE, TAIL, HEAD, FILL, RING_SLOT, OFFSET = range(10)
TAILS, HEADS, RUNG = 16, 32, 48


@dataclass(frozen=True)
class Queues:
    """The transmit queues of one core."""

    nics: Nics
    words: Words
    core: int


def start(p: Assembler, entries: int, batch: int) -> None:
    """Set the constant registers: ``entries`` of each ring, ``batch`` frames a turn."""
    for register, value in ((ZERO, 0), (ONE, 1), (ENTRIES, entries), (BATCH, batch)):
        p.emit(Op.MOVI, register, value)


def give(p: Assembler, queues: Queues, port: int, stamp: int | None, full: str | None = None) -> None:
    """Append: put a frame into the queue of a port, or count it as refused when the queue is full.

    Args:
        p: program of the core.
        queues: of the core.
        port: register with the number of the port.
        stamp: register with the arrival time of the frame; None where frames do not arrive.
        full: where to go on when the queue is full, instead of counting the frame as refused.

    """
    nics, words = queues.nics, queues.words
    reclaimed, room, done = p.fresh("reclaimed"), p.fresh("room"), p.fresh("given")
    p.emit(Op.MULI, QUEUE, port, nics.queues)
    p.emit(Op.ADDI, QUEUE, QUEUE, queues.core)
    if words.tail.each_frame:
        p.access(Op.LOAD, TAIL, words.tail.first, QUEUE)
    else:
        p.emit(Op.GETR, TAIL, TAILS, port)
    if words.head.each_frame:
        p.access(Op.PREF, 0, words.head.first, QUEUE)
    p.emit(Op.GETR, HEAD, HEADS, port)
    p.emit(Op.SUB, FILL, TAIL, HEAD)
    p.emit(Op.BLT, FILL, ENTRIES, room)
    p.access(Op.LOAD, FILL, nics.tx_head, QUEUE)
    p.emit(Op.BNE, FILL, HEAD, reclaimed)
    if full is None:
        p.emit(Op.COUNT, REFUSED, ONE)
    p.emit(Op.JMP, c=full or done)
    p.label(reclaimed)
    p.emit(Op.SETR, FILL, HEADS, port)
    p.access(Op.STORE, FILL, words.head.first, QUEUE)
    p.label(room)
    p.emit(Op.ANDI, RING_SLOT, TAIL, nics.entries - 1)
    p.emit(Op.MULI, OFFSET, QUEUE, nics.entries)
    p.emit(Op.ADD, RING_SLOT, RING_SLOT, OFFSET)
    p.emit(Op.ADDI, TAIL, TAIL, 1)
    p.access(Op.STORE, TAIL, nics.tx_descriptor, RING_SLOT)
    if words.tail.each_frame:
        p.access(Op.STORE, TAIL, words.tail.first, QUEUE)
    if stamp is not None:
        p.access(Op.POKE, stamp, nics.tx_stamp, RING_SLOT)
    p.emit(Op.SETR, TAIL, TAILS, port)
    p.emit(Op.COUNT, GIVEN, ONE)
    p.label(done)


def publish(p: Assembler, queues: Queues, port: int) -> None:
    """Append: tell the NIC of the frames given to the core's queue of a port, if there are any.

    Args:
        p: program of the core.
        queues: of the core.
        port: its number.

    """
    nics, words = queues.nics, queues.words
    queue = port * nics.queues + queues.core
    none = p.fresh("nothing new")
    p.emit(Op.BEQ, TAILS + port, RUNG + port, none)
    if not words.tail.each_frame:
        p.access(Op.STORE, TAILS + port, words.tail.first + queue)
    for word in words.send[queue]:
        p.access(Op.INC, 1, word)
    nics.doorbell(p, port, nics.tx_tail + queue, TAILS + port)
    p.emit(Op.ADDI, RUNG + port, TAILS + port, 0)
    p.label(none)
