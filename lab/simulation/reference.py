"""The plain-Python simulator: it defines what the C kernel (kernel/) must do, and runs when that is not built.

Every core is two agents of time: its program and its store buffer. Always the one with the smallest clock takes one
step, so what a step sees has happened: a value is written at the very time at which its line is held, and read
likewise. On equal clocks store buffers come before programs, lower numbers before higher.
"""

from __future__ import annotations

from lab.simulation.buckets import BUCKETS
from lab.simulation.check import check
from lab.simulation.core import Core
from lab.simulation.errors import SimulationError
from lab.simulation.lines import Lines
from lab.simulation.scene import LONGEST_PS, NEVER, Outcome, Scene


class Simulation:
    """One scene while it runs."""

    def __init__(self, scene: Scene) -> None:
        check(scene)
        self.scene = scene
        self.lines = Lines(scene)
        self.memory = [0] * len(scene.word_lines)
        self.latency_counts = [0] * BUCKETS
        self.cores = [
            Core(number, scene, self.lines, self.memory, self.latency_counts) for number in range(len(scene.agents))
        ]
        self.now = 0

    def step(self) -> bool:
        """Let the agent with the smallest clock take one step; False when all have passed the end.

        Raises:
            SimulationError: a program loops without time passing, or leaves its memory.

        """
        best, core, drain = NEVER, None, False
        for candidate in self.cores:
            if candidate.drain_clock < best:
                best, core, drain = candidate.drain_clock, candidate, True
        for candidate in self.cores:
            if candidate.clock < best:
                best, core, drain = candidate.clock, candidate, False
        if core is None or best >= min(self.scene.end_ps, LONGEST_PS):
            return False
        if best < self.now:
            raise SimulationError(f"time ran backwards, from {self.now} to {best} ps")
        self.now = best
        if drain:
            core.drain()
        else:
            core.step()
        return True


def simulate(scene: Scene) -> Outcome:
    """Run a scene to its end in plain Python.

    Raises:
        SimulationError: the scene is not well formed, or a program misbehaves.

    """
    simulation = Simulation(scene)
    warm: tuple[tuple[int, ...], ...] | None = None
    while simulation.step():
        if warm is None and simulation.now >= scene.warm_ps:
            warm = tuple(tuple(core.stats) for core in simulation.cores)
    stats = tuple(tuple(core.stats) for core in simulation.cores)
    return Outcome(
        stats=stats,
        warm_stats=stats if warm is None else warm,
        memory=tuple(simulation.memory),
        clocks_ps=tuple(core.stopped_ps if core.halted else core.clock for core in simulation.cores),
        accesses=sum(core.accesses for core in simulation.cores),
        transactions=tuple(simulation.lines.transactions),
        word_transactions=tuple(simulation.lines.word_transactions),
        latency_counts=tuple(simulation.latency_counts),
        fingerprint=simulation.lines.fingerprint,
    )
