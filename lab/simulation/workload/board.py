"""Cores and devices on the sockets of a machine: what every many-core scene stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab.simulation.machine import Machine
from lab.simulation.scene import Agent, Scene, Timing
from lab.simulation.topology import Place, distance
from lab.simulation.workload.built import Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.timing import timing, transfer_ps


@dataclass(frozen=True)
class Board:
    """Where the cores of a case sit, and how long a line takes from one place to another.

    Attributes:
        numbers: one draw of the machine's numbers.
        timing: of the cores.
        places: of the cores.

    """

    numbers: Numbers
    timing: Timing
    places: tuple[Place, ...]

    @classmethod
    def of(cls, machine: Machine, numbers: Numbers, case: Case) -> Board:
        """Place the cores of a case on a machine.

        Raises:
            UsageError: the machine has not so many cores or no such placement.

        """
        return cls(numbers, timing(machine, numbers), machine.places(case.cores, case.placement))

    def scene(
        self,
        cores: Sequence[Agent],
        devices: Sequence[tuple[Sequence[Agent], Sequence[int]]],
        word_lines: tuple[int, ...],
        window: Window,
    ) -> Scene:
        """Return the scene of these agents, cores first.

        Args:
            cores: one for each place.
            devices: groups of devices, each with the core whose socket every one of them is plugged into.
            word_lines: line of each word.
            window: seed and duration.

        """
        agents = [_at(core, place) for core, place in zip(cores, self.places, strict=True)]
        places = list(self.places)
        for group, owners in devices:
            for device, owner in zip(group, owners, strict=True):
                agents.append(_at(device, self.places[owner]))
                places.append(self.places[owner])
        total = range(len(agents))
        return Scene(
            agents=tuple(agents),
            timing=self.timing,
            transfer_ps=tuple(tuple(self._between(agents, places, a, b) for b in total) for a in total),
            word_lines=word_lines,
            seed=window.seed,
            warm_ps=window.warm_ps,
            end_ps=window.end_ps,
        )

    def _between(self, agents: Sequence[Agent], places: Sequence[Place], a: int, b: int) -> int:
        """A device writes to the shared cache of its socket (DDIO): that is the way to it, and from it."""
        far = places[a].socket != places[b].socket
        if (agents[a].device or agents[b].device) and not far:
            return self.timing.shared_cache_ps
        return transfer_ps(self.numbers, distance(places[a], places[b]), self.timing.locked_ps)


def _at(agent: Agent, place: Place) -> Agent:
    return replace(agent, socket=place.socket, complex=place.complex)
