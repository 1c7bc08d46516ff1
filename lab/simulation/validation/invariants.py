"""What must hold at every moment of a simulation, looked at step by step in the plain-Python reference."""

from __future__ import annotations

from lab.simulation.reference import Simulation
from lab.simulation.scene import NEVER, Scene


def broken_invariant(scene: Scene) -> str:
    """Run a scene in the reference; return the first invariant of coherence or time that does not hold, or nothing.

    Raises:
        SimulationError: the scene is not well formed, or a program misbehaves.

    """
    simulation = Simulation(scene)
    clocks = [0] * len(scene.agents)
    before_ps = 0
    while simulation.step():
        now_ps = simulation.now
        if now_ps < before_ps:
            return f"time goes back, from {before_ps} to {now_ps} ps"
        before_ps = now_ps
        problem = _of_lines(simulation, now_ps) or _of_cores(simulation, clocks)
        if problem:
            return f"at {now_ps} ps: {problem}"
    return ""


def _of_lines(simulation: Simulation, now_ps: int) -> str:
    lines, agents = simulation.lines, range(len(simulation.cores))
    for line in range(simulation.scene.lines):
        writers = [agent for agent in agents if lines.writable(agent, line, now_ps)]
        readers = [agent for agent in agents if lines.readable(agent, line, now_ps)]
        if len(writers) > 1 or (writers and readers != writers):
            return f"line {line}: agents {writers} may write and {readers} may read"
    return ""


def _of_cores(simulation: Simulation, clocks: list[int]) -> str:
    for core in simulation.cores:
        if core.clock < clocks[core.number]:
            return f"the clock of agent {core.number} goes back, from {clocks[core.number]} to {core.clock} ps"
        clocks[core.number] = core.clock
        if (core.drain_clock == NEVER) != (not core.buffer):
            return f"agent {core.number} has {len(core.buffer)} stores that wait for {core.drain_clock} ps"
        if len(core.buffer) > simulation.scene.timing.store_buffer_entries:
            return f"agent {core.number} has {len(core.buffer)} stores in its buffer"
        if core.outstanding() > simulation.scene.timing.concurrent_misses:
            return f"agent {core.number} has {core.outstanding()} requests under way"
    return ""
