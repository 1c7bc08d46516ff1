"""Meters: what several agents share and that serves one frame after the other (a PCIe slot, the engine of a device).

A meter is a word without coherence that holds the time from which it is free. Who needs it reserves its turn at once
(an agent's instructions that take no time are not interrupted) and waits for its start; turns are first come, first
served, and at most one of each agent waits.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.program import Assembler, Op


@dataclass(frozen=True)
class Meter:
    """A reservation that each frame needs.

    Attributes:
        word: number of the word with the time from which the meter is free, ps.
        cost_ps: how long one frame (or doorbell) occupies it.
        statistic: that the agent counts these times in, if any.

    """

    word: int
    cost_ps: int
    statistic: int | None = None


def reserve(p: Assembler, meters: tuple[Meter, ...], time: int, scratch: int) -> None:
    """Reserve a turn of every meter, one after the other.

    Args:
        p: where the instructions go; they take no time.
        meters: to reserve; may be none.
        time: register with the earliest start in ps; afterwards the start of the last turn.
        scratch: register that is overwritten.

    """
    for meter in meters:
        busy = p.fresh("busy")
        p.access(Op.PEEK, scratch, meter.word)
        p.emit(Op.BGE, scratch, time, busy)
        p.emit(Op.ADDI, scratch, time, 0)
        p.label(busy)
        p.emit(Op.ADDI, time, scratch, 0)
        p.emit(Op.ADDI, scratch, scratch, meter.cost_ps)
        p.access(Op.POKE, scratch, meter.word)
        if meter.statistic is not None:
            p.emit(Op.MOVI, scratch, meter.cost_ps)
            p.emit(Op.COUNT, meter.statistic, scratch)
