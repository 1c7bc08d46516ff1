"""Registers and private memory of a simulated QGM."""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.errors import SimulationError
from lab.simulation.memory import Memory

# Registers that every QGM has. Arrays over its own queues and over all cores follow.
(
    ZERO, ONE, BATCH, ENTRIES, HALF, ME,  # constants
    VALUE, SCRATCH, SLOT, FRAME, FIRST, LAST, TARGET, QUEUE, BUFFER, STAMP, FILL, HANDLED, TAKEN_OVER, STEP, BEGAN,
    WHERE,  # always 0; depends on what says where a buffer lies (qgm_writer.py)
) = range(22)  # fmt: skip
MAX_CORES = 16
_FIRST_ARRAY = 22
_LAST_REGISTER = 125  # the two behind it belong to Nics.doorbell()


@dataclass(frozen=True)
class Registers:
    """First registers of the arrays.

    Attributes:
        taken: frames taken from a receive queue.
        given_back: receive descriptors given to the device anew.
        posted: frames put into a transmit queue.
        reclaimed: of them known to be sent.
        staged: frames that wait for the end of the turn.
        to_next: slots filled of the ring to a core.
        to_seen: slots that its consumer was last seen to have taken.
        to_published: slots filled that it knows of.
        from_next: slots taken of the ring from a core.
        from_seen: slots that its producer was last seen to have filled.

    """

    taken: int
    given_back: int
    posted: int
    reclaimed: int
    staged: int
    to_next: int
    to_seen: int
    to_published: int
    from_next: int
    from_seen: int


def registers(queues: int, cores: int) -> Registers:
    """Lay out the arrays.

    Raises:
        SimulationError: a core has not so many registers.

    """
    end = _FIRST_ARRAY + 5 * queues + 5 * cores
    if end > _LAST_REGISTER + 1:
        raise SimulationError(f"{queues} ports a core and {cores} cores are more than can be simulated: ask for fewer")
    of_queues = [_FIRST_ARRAY + i * queues for i in range(5)]
    of_cores = [_FIRST_ARRAY + 5 * queues + i * cores for i in range(5)]
    return Registers(*of_queues, *of_cores)


@dataclass(frozen=True)
class Private:
    """Memory that only one core uses, so that it costs nothing: words of its lists of frames (buffer, arrival time)."""

    taken_buffer: int
    taken_stamp: int
    staged_buffer: int
    staged_stamp: int
    staged_each: int

    @classmethod
    def place(cls, memory: Memory, queues: int, cores: int, batch: int) -> Private:
        """Place the lists: a batch taken from a ring, and for each queue what a turn can stage for it."""
        each = batch * (queues + cores)
        unseen = memory.reserve(1)
        taken = [memory.place([unseen] * batch, "private") for _ in range(2)]
        staged = [memory.place([unseen] * (queues * each), "private") for _ in range(2)]
        return cls(taken[0], taken[1], staged[0], staged[1], each)
