"""The generator's core on the other side of virtio ports: it polls all of them, offers frames and takes sent ones.

It is the device of virtio 1.2, 2.7: it reads descriptors and the available ring, and writes buffers and the used ring.
It does no work of its own, so what comes out is what the QGMs can do and not what a real generator can.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.program import Assembler, Code, Op
from lab.simulation.workload.virtqueue import Port

# Statistics.
OFFERED = 0  # frames whose time came
DELIVERED = 1  # frames put into a receive queue
LOST = 2  # frames that found no free descriptor
COLLECTED = 3  # frames taken from transmit queues

(SEEN, COUNT, ZERO, ONE, BATCH, SLOT, LIMIT, NOW, BUFFER, STAMP) = range(10)
GIVEN, COLLECTED_OF, DUE, OFFERED_OF = 16, 32, 48, 64  # arrays over ports
MAX_PORTS = 16


@dataclass(frozen=True)
class Load:
    """What is offered at each port.

    Attributes:
        spacing_ps: between two frames of a port; None: as much as there is room for.
        limit: frames of each port, then it falls silent; 0 for no limit.
        batch: frames given to or taken from a queue at once.
        burst: frames that must be due for any to be given.

    """

    spacing_ps: int | None
    limit: int
    batch: int
    burst: int = 1


def program(ports: list[Port], load: Load, entries: int) -> Code:
    """Return the generator's program."""
    p = Assembler()
    for register, value in ((ONE, 1), (BATCH, load.batch), (LIMIT, load.limit or 1 << 60)):
        p.emit(Op.MOVI, register, value)
    if load.spacing_ps is not None:
        for number in range(len(ports)):  # each port in a phase of its own
            p.emit(Op.MOVI, DUE + number, load.spacing_ps * number // len(ports))
    p.label("round")
    for number, port in enumerate(ports):
        _offer(p, number, port, load, entries)
        _collect(p, number, port, entries)
    p.emit(Op.JMP, c="round")
    return p.code()


def _offer(p: Assembler, number: int, port: Port, load: Load, entries: int) -> None:
    given, offered = GIVEN + number, OFFERED_OF + number
    again, lost, end, done = p.fresh("offer"), p.fresh("lost"), p.fresh("offer end"), p.fresh("offered")
    p.emit(Op.BGE, offered, LIMIT, done)
    if load.spacing_ps is not None:
        p.emit(Op.NOW, NOW)
        p.emit(Op.ADDI, STAMP, DUE + number, (load.burst - 1) * load.spacing_ps)
        p.emit(Op.BLT, NOW, STAMP, done)
    p.access(Op.LOAD, SEEN, port.receive.available_index)
    if load.spacing_ps is None:
        p.emit(Op.BGE, given, SEEN, done)
    p.emit(Op.MOVI, COUNT, 0)
    p.label(again)
    if load.spacing_ps is None:
        p.emit(Op.NOW, STAMP)
    else:
        p.emit(Op.ADDI, STAMP, DUE + number, 0)
        p.emit(Op.ADDI, DUE + number, DUE + number, load.spacing_ps)
    p.emit(Op.ADDI, offered, offered, 1)
    p.emit(Op.COUNT, OFFERED, ONE)
    p.emit(Op.BGE, given, SEEN, lost)
    p.emit(Op.ANDI, SLOT, given, entries - 1)
    p.access(Op.PREF, 0, port.receive.available, SLOT)
    p.access(Op.PREF, 0, port.receive.descriptor, SLOT)
    p.access(Op.STORE, given, port.buffer, SLOT)
    p.access(Op.STORE, given, port.receive.used, SLOT)
    p.access(Op.POKE, STAMP, port.receive.stamp, SLOT)
    p.emit(Op.COUNT, DELIVERED, ONE)
    p.emit(Op.ADDI, given, given, 1)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    p.emit(Op.BGE, COUNT, BATCH, end)
    p.emit(Op.BGE, offered, LIMIT, end)
    if load.spacing_ps is None:
        p.emit(Op.BLT, given, SEEN, again)
    else:
        p.emit(Op.NOW, NOW)
        p.emit(Op.BGE, NOW, DUE + number, again)
    p.label(end)
    p.access(Op.STORE, given, port.receive.used_index)
    p.emit(Op.JMP, c=done)
    p.label(lost)
    p.emit(Op.COUNT, LOST, ONE)
    p.emit(Op.BNE, COUNT, ZERO, end)
    p.label(done)


def _collect(p: Assembler, number: int, port: Port, entries: int) -> None:
    """Frames leave when they are taken: that ends their latency."""
    taken = COLLECTED_OF + number
    again, end, skip = p.fresh("collect"), p.fresh("collect end"), p.fresh("collect skip")
    p.access(Op.LOAD, SEEN, port.transmit.available_index)
    p.emit(Op.BEQ, taken, SEEN, skip)
    p.emit(Op.MOVI, COUNT, 0)
    p.label(again)
    p.emit(Op.ANDI, SLOT, taken, entries - 1)
    p.access(Op.PREF, 0, port.transmit.available, SLOT)
    p.access(Op.PREF, 0, port.transmit.descriptor, SLOT)
    p.access(Op.PEEK, BUFFER, port.transmit.descriptor, SLOT)
    p.access(Op.LOAD, STAMP, 0, BUFFER)
    p.access(Op.PEEK, STAMP, port.transmit.stamp, SLOT)
    p.emit(Op.SAMPLE, STAMP)
    p.access(Op.STORE, taken, port.transmit.used, SLOT)
    p.emit(Op.COUNT, COLLECTED, ONE)
    p.emit(Op.ADDI, taken, taken, 1)
    p.emit(Op.ADDI, COUNT, COUNT, 1)
    p.emit(Op.BEQ, taken, SEEN, end)
    p.emit(Op.BLT, COUNT, BATCH, again)
    p.label(end)
    p.access(Op.STORE, taken, port.transmit.used_index)
    p.label(skip)
