"""The receiving half of a NIC's port, as a program.

Frames arrive evenly spaced, as the generator of the lab sends them (a constant load, not RFC 2544 section 21's bursts),
each port with a phase of its own. A frame waits in the packet buffer of the port until PCIe slot and device have a
turn; when that takes longer than the buffer holds out, it is lost, and so is a frame that finds no free descriptor
(82599: SRRCTL.DROP_EN). Data and descriptor are written into the shared cache (DDIO), which takes the line from the
core that had it.

Descriptors are written back at once, unless further frames wait already: then those of one line (four) together. Their
line is taken by one write of four descriptors; the other three are set by POKE in the same instant, long before anybody
can have fetched the line.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.program import Assembler, Code, Op
from lab.simulation.workload.nic_meter import Meter, reserve

# Statistics of the agent.
OFFERED = 0  # frames that arrived
DELIVERED = 1  # frames put into the receive ring
LOST = 2  # frames that found no descriptor, or no room in the port's packet buffer

DESCRIPTORS_A_LINE = 4  # of 16 bytes (82599 datasheet, 7.1.5) in a line of 64
PHASE_PS = 65_536  # the greatest bound of RAND

(
    ARRIVAL, DONE, TAIL, FILL, ENTRIES, SLOT, ONE, SEEN, LIMIT, LATE, PATIENCE, TIME, SCRATCH, WRITTEN, ZERO
) = range(15)  # fmt: skip


@dataclass(frozen=True)
class Receiver:
    """One port's receiving half.

    Attributes:
        descriptor: word of descriptor 0 of its ring.
        buffer: word of the header of buffer 0.
        tail: word of the tail register: frames that the core has taken and given descriptors back for.
        stamp: word of the arrival time of slot 0, for latency.
        entries: of the ring, a power of two.
        meters: what every frame has to pass.
        phase_ps: arrival of the first frame, at the earliest.
        spacing_ps: between two arrivals.
        patience_ps: how long the packet buffer holds out at this spacing.
        limit: frames that arrive, then the port falls silent; 0 for no limit.

    """

    descriptor: int
    buffer: int
    tail: int
    stamp: int
    entries: int
    meters: tuple[Meter, ...]
    phase_ps: int
    spacing_ps: int
    patience_ps: int
    limit: int = 0


def program(port: Receiver) -> Code:
    """Return the program of the port."""
    p = Assembler()
    for register, value in (
        (ENTRIES, port.entries), (ONE, 1), (LIMIT, port.limit or 1 << 60), (PATIENCE, port.patience_ps)
    ):  # fmt: skip
        p.emit(Op.MOVI, register, value)
    p.emit(Op.RAND, ARRIVAL, min(port.spacing_ps, PHASE_PS))
    p.emit(Op.ADDI, ARRIVAL, ARRIVAL, port.phase_ps)
    p.label("arrival")
    p.emit(Op.BGE, SEEN, LIMIT, "silent")
    p.emit(Op.TILL, ARRIVAL)
    p.emit(Op.NOW, TIME)
    p.emit(Op.SUB, LATE, TIME, ARRIVAL)
    p.emit(Op.ADDI, SEEN, SEEN, 1)
    p.emit(Op.COUNT, OFFERED, ONE)
    p.emit(Op.BGE, LATE, PATIENCE, "lost")
    p.access(Op.PEEK, TAIL, port.tail)
    p.emit(Op.SUB, FILL, DONE, TAIL)
    p.emit(Op.BGE, FILL, ENTRIES, "lost")
    reserve(p, port.meters, TIME, SCRATCH)
    p.emit(Op.TILL, TIME)
    p.emit(Op.ANDI, SLOT, DONE, port.entries - 1)
    p.emit(Op.ADDI, DONE, DONE, 1)
    p.access(Op.POKE, ARRIVAL, port.stamp, SLOT)
    p.access(Op.STORE, DONE, port.buffer, SLOT)
    p.emit(Op.COUNT, DELIVERED, ONE)
    p.emit(Op.ADDI, ARRIVAL, ARRIVAL, port.spacing_ps)
    p.emit(Op.ANDI, SCRATCH, DONE, DESCRIPTORS_A_LINE - 1)
    p.emit(Op.BEQ, SCRATCH, ZERO, "write back")
    p.emit(Op.BGE, SEEN, LIMIT, "write back")
    p.emit(Op.NOW, TIME)
    p.emit(Op.BGE, TIME, ARRIVAL, "arrival")
    _write_back(p, port)
    p.label("lost")
    p.emit(Op.COUNT, LOST, ONE)
    p.emit(Op.ADDI, ARRIVAL, ARRIVAL, port.spacing_ps)
    p.emit(Op.BNE, WRITTEN, DONE, "write back")  # a core may wait for just these
    p.emit(Op.JMP, c="arrival")
    p.label("silent")
    p.emit(Op.HALT)
    return p.code()


def _write_back(p: Assembler, port: Receiver) -> None:
    """Write back all descriptors not written yet; they lie in one line."""
    p.label("write back")
    p.emit(Op.ANDI, SLOT, WRITTEN, port.entries - 1)
    p.emit(Op.ADDI, WRITTEN, WRITTEN, 1)
    p.access(Op.STORE, WRITTEN, port.descriptor, SLOT)
    p.label("same line")
    p.emit(Op.BGE, WRITTEN, DONE, "arrival")
    p.emit(Op.ANDI, SLOT, WRITTEN, port.entries - 1)
    p.emit(Op.ADDI, WRITTEN, WRITTEN, 1)
    p.access(Op.POKE, WRITTEN, port.descriptor, SLOT)
    p.emit(Op.JMP, c="same line")
