"""Two cores of a machine and the way between them: what every two-core workload stands on."""

from __future__ import annotations

from dataclasses import dataclass

from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.program import Code
from lab.simulation.scene import Agent, Scene, Timing
from lab.simulation.topology import Place, distance
from lab.simulation.workload.built import Numbers, Window
from lab.simulation.workload.case import Placement
from lab.simulation.workload.timing import range_bytes, timing, transfer_ps


@dataclass(frozen=True)
class Pair:
    """Two cores as placed.

    Attributes:
        timing: of the cores.
        transfer_ps: one-way cache-to-cache, without the locked instruction.
        places: where the two sit.
        range_bytes: what moves together: a line (64) or a prefetched pair (128).

    """

    timing: Timing
    transfer_ps: int
    places: tuple[Place, Place]
    range_bytes: int

    def scene(self, programs: tuple[Code, Code], memory: Memory, window: Window) -> Scene:
        """Return the scene of two programs on these cores."""
        return Scene(
            agents=tuple(
                Agent(code, socket=place.socket, complex=place.complex)
                for code, place in zip(programs, self.places, strict=True)
            ),
            timing=self.timing,
            transfer_ps=((0, self.transfer_ps), (self.transfer_ps, 0)),
            word_lines=memory.lines(self.range_bytes),
            seed=window.seed,
            warm_ps=window.warm_ps,
            end_ps=window.end_ps,
        )


def place(machine: Machine, numbers: Numbers, placement: Placement) -> Pair:
    """Place two cores.

    Args:
        machine: which.
        numbers: one draw of its numbers; transfer times in ns as a CAS ping-pong measures them.
        placement: of the two.

    Raises:
        UsageError: the machine has no such distance.

    """
    first, second = machine.places(2, placement)
    apart = distance(first, second)
    machine.needs((apart,), f"placement {placement!r}")
    times = timing(machine, numbers)
    return Pair(
        timing=times,
        transfer_ps=transfer_ps(numbers, apart, times.locked_ps),
        places=(first, second),
        range_bytes=range_bytes(numbers),
    )
