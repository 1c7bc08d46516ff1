"""The sending half of a NIC's port, as a program that serves all transmit queues of the port.

A queue's tail register is written by its core's doorbell. Queues are served in turn (82599 datasheet, 7.2.3.4: round
robin), up to a line of descriptors of each at a time. A port that was idle has to fetch the descriptor and then the
frame before it can send (7.2.1: a frame is sent only after it was fetched completely); while it is busy, fetching runs
a few frames ahead of the wire. Descriptors and frames are read without taking the lines from the cores. After each
burst the head is written back into the queue's word (7.2.3.5.2: once the frame was fetched), again by DDIO; where
frames follow fast, not every single one is reported (ibid.).

A descriptor that is not there when its turn comes would be a store overtaken by its doorbell; such frames are counted
(EARLY), and there must be none.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.program import Assembler, Code, Op
from lab.simulation.workload.nic_meter import Meter, reserve

# Statistics of the agent.
SENT = 3  # frames fetched, at most RUN_AHEAD and one more than left on the wire
EARLY = 4  # descriptors that were not there in spite of their doorbell

BURST = 4  # descriptors of one queue served in a row: a line
RUN_AHEAD = 4  # frames fetched before the wire is free for them
MAX_QUEUES = 64

(
    QUEUE, TAIL, DONE, LEFT, TIME, SCRATCH, WIRE, SLOT, BASE, STAMP, ONE, ZERO, BUSY, IDLE, QUEUES, AT_MOST, AHEAD
) = range(17)  # fmt: skip
DONE_OF = 32  # registers: frames sent of each queue


@dataclass(frozen=True)
class Sender:
    """One port's sending half; words of a queue lie side by side, queue 0 first.

    Attributes:
        descriptor: word of descriptor 0 of queue 0; the rings of the queues follow each other.
        tail: word of the tail register of queue 0: frames given.
        head: word that the head of queue 0 is written back to: frames sent.
        stamp: word of the arrival time of slot 0 of queue 0; None where frames do not arrive.
        queues: how many.
        entries: of each ring, a power of two.
        meters: what every frame has to pass.
        wire_ps: between two frames on the wire.
        fetch_ps: from the doorbell to the frame, when the port was idle.

    """

    descriptor: int
    tail: int
    head: int
    stamp: int | None
    queues: int
    entries: int
    meters: tuple[Meter, ...]
    wire_ps: int
    fetch_ps: int


def program(port: Sender) -> Code:
    """Return the program of the port."""
    p = Assembler()
    for register, value in ((ONE, 1), (QUEUES, port.queues), (AT_MOST, BURST), (IDLE, 1)):
        p.emit(Op.MOVI, register, value)
    p.label("round")
    p.emit(Op.MOVI, BUSY, 0)
    p.emit(Op.MOVI, QUEUE, 0)
    p.label("queue")
    p.access(Op.PEEK, TAIL, port.tail, QUEUE)
    p.emit(Op.GETR, DONE, DONE_OF, QUEUE)
    p.emit(Op.BEQ, TAIL, DONE, "next")
    _burst(p, port)
    p.label("next")
    p.emit(Op.ADDI, QUEUE, QUEUE, 1)
    p.emit(Op.BLT, QUEUE, QUEUES, "queue")
    p.emit(Op.BNE, BUSY, ZERO, "round")
    p.emit(Op.MOVI, IDLE, 1)
    p.emit(Op.NOW, TIME)
    p.emit(Op.ADDI, TIME, TIME, port.wire_ps)  # look again after the time of a frame
    p.emit(Op.TILL, TIME)
    p.emit(Op.JMP, c="round")
    return p.code()


def _burst(p: Assembler, port: Sender) -> None:
    """Send up to BURST frames of the queue, then write its head back."""
    p.emit(Op.MULI, BASE, QUEUE, port.entries)
    p.emit(Op.MOVI, BUSY, 1)
    p.emit(Op.BEQ, IDLE, ZERO, "fetched ahead")
    p.emit(Op.MOVI, IDLE, 0)
    p.emit(Op.NOW, TIME)
    p.emit(Op.ADDI, TIME, TIME, port.fetch_ps)
    p.emit(Op.TILL, TIME)
    p.label("fetched ahead")
    p.emit(Op.SUB, LEFT, TAIL, DONE)
    p.emit(Op.BLT, LEFT, AT_MOST, "frame")
    p.emit(Op.MOVI, LEFT, BURST)
    p.label("frame")
    _fetch(p, port)
    p.emit(Op.ANDI, SLOT, DONE, port.entries - 1)
    p.emit(Op.ADD, SLOT, SLOT, BASE)
    p.emit(Op.ADDI, DONE, DONE, 1)
    p.access(Op.PEEK, SCRATCH, port.descriptor, SLOT)
    p.emit(Op.BEQ, SCRATCH, DONE, "there")
    p.emit(Op.COUNT, EARLY, ONE)
    p.label("there")
    if port.stamp is not None:
        p.access(Op.PEEK, STAMP, port.stamp, SLOT)
        p.emit(Op.SUB, STAMP, STAMP, AHEAD)  # it leaves so much later than now
        p.emit(Op.SAMPLE, STAMP)
    p.emit(Op.COUNT, SENT, ONE)
    p.emit(Op.ADDI, LEFT, LEFT, -1)
    p.emit(Op.BLT, ZERO, LEFT, "frame")
    p.emit(Op.SETR, DONE, DONE_OF, QUEUE)
    p.access(Op.STORE, DONE, port.head, QUEUE)


def _fetch(p: Assembler, port: Sender) -> None:
    """Fetch a frame, not too far ahead of the wire, when slot and device have a turn; it then waits AHEAD ps."""
    p.emit(Op.ADDI, TIME, WIRE, -RUN_AHEAD * port.wire_ps)
    p.emit(Op.NOW, SCRATCH)
    p.emit(Op.BGE, SCRATCH, TIME, "near enough")
    p.emit(Op.TILL, TIME)
    p.label("near enough")
    p.emit(Op.NOW, TIME)
    reserve(p, port.meters, TIME, SCRATCH)
    p.emit(Op.TILL, TIME)
    p.emit(Op.NOW, TIME)
    p.emit(Op.SUB, AHEAD, WIRE, TIME)
    p.emit(Op.BLT, ZERO, AHEAD, "wire busy")
    p.emit(Op.MOVI, AHEAD, 0)
    p.emit(Op.ADDI, WIRE, TIME, 0)
    p.label("wire busy")
    p.emit(Op.ADDI, WIRE, WIRE, port.wire_ps)
