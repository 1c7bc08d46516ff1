"""A workload made into a scene, and what a workload is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lab.simulation.layout import Layout
from lab.simulation.machine import Machine
from lab.simulation.scene import Outcome, Scene
from lab.simulation.workload.case import Case

Numbers = Mapping[str, float]
"""One draw of a machine's numbers (``Machine.draws``), by the names of its ranges."""

BUSY_SHARE = 0.97  # from this share of the time on, what agents share is what they wait for


@dataclass(frozen=True)
class Window:
    """How long a scene runs and from which seed: statistics count from ``warm_ps`` to ``end_ps``."""

    seed: int
    warm_ps: int
    end_ps: int


@dataclass(frozen=True)
class Booked:
    """What agents share: the statistic in which each counts the ps that it books of it, and how many there are."""

    statistic: int
    count: int


@dataclass(frozen=True)
class Built:
    """A scene with the meaning of its parts.

    Attributes:
        scene: to be simulated.
        word_names: structure of each word: a name of the layout's table (``core.pool_head``), else what it is
            (``rx.descriptor``, ``buffer``).
        counting: agents that complete operations.
        done: statistic that each of them counts completed operations in.
        unit: of an operation: ``packets``, ``messages``, ``exchanges``.
        caps_pps: what else bounds the rate, by name (``line rate``, ``pcie``, ``nic``).
        cpu_pps: what the counting agents would do if every access hit their own caches; None where nobody asks.
        busy_ps: statistic in which the counting agents count the ps that they handle something for; None where they do
            not tell.
        meters: what agents share and book within the simulation (``pcie``, ``device``), by the name of its cap.

    """

    scene: Scene
    word_names: tuple[str, ...]
    counting: tuple[int, ...]
    done: int
    unit: str
    caps_pps: Mapping[str, float]
    cpu_pps: float | None = None
    busy_ps: int | None = None
    meters: Mapping[str, Booked] = field(default_factory=dict)

    def busy(self, outcome: Outcome) -> str | None:
        """Name what agents share and kept busy all the time between warm-up and end; None if there is nothing."""
        window_ps = self.scene.end_ps - self.scene.warm_ps
        for name, booked in self.meters.items():
            booked_ps = sum(outcome.window(agent, booked.statistic) for agent in range(len(self.scene.agents)))
            if booked_ps >= BUSY_SHARE * booked.count * window_ps:
                return name
        return None

    def rate_pps(self, outcome: Outcome) -> float:
        """Return the operations a second that were completed between warm-up and end."""
        return self._counted(outcome, self.done) / ((self.scene.end_ps - self.scene.warm_ps) * 1e-12)

    def busy_ps_an_operation(self, outcome: Outcome) -> float | None:
        """Return how long the counting agents were busy with an operation, in ps; None where they do not tell."""
        if self.busy_ps is None:
            return None
        return self._counted(outcome, self.busy_ps) / max(self._counted(outcome, self.done), 1)

    def _counted(self, outcome: Outcome, statistic: int) -> int:
        return sum(outcome.window(agent, statistic) for agent in self.counting)


class Workload(Protocol):
    """Makes scenes. ``name`` is that of the command line, ``title`` one line of what it is."""

    @property
    def name(self) -> str:
        """As on the command line."""

    @property
    def title(self) -> str:
        """In one line."""

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene of one draw.

        Raises:
            SimulationError: the case does not fit the workload, the machine or the layout.

        """
