"""A workload with a full fence before each publication of a ring index.

Systems have such fences that do not trust the order of stores, which x86 keeps (Intel SDM volume 3A, memory ordering).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout
from lab.simulation.machine import Machine
from lab.simulation.program import JUMPS, Code, Op
from lab.simulation.workload.built import Built, Numbers, Window, Workload
from lab.simulation.workload.case import Case


@dataclass(frozen=True)
class Fenced:
    """Another workload, whose cores drain their store buffers before they publish an index of an inter-core ring."""

    inner: Workload

    @property
    def name(self) -> str:
        """As on the command line."""
        return f"{self.inner.name}-fenced"

    @property
    def title(self) -> str:
        """In one line."""
        return f"the same as {self.inner.name}, with a full fence before each publication of a ring index"

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene of one draw; raises SimulationError as the other workload, and without ring indices."""
        built = self.inner.build(machine, numbers, case, layout, window)
        matrices = (layout.matrix("producer", case.cores), layout.matrix("consumer", case.cores))
        names = {matrix.name for matrix in matrices if matrix is not None}
        words = frozenset(word for word, name in enumerate(built.word_names) if name in names)
        if not words:
            raise SimulationError(f"{self.name}: no ring index of layout {layout.name!r} is written: nothing to fence")
        agents = tuple(
            agent if agent.device else replace(agent, code=with_fences(agent.code, words))
            for agent in built.scene.agents
        )
        return replace(built, scene=replace(built.scene, agents=agents))


def with_fences(code: Code, words: frozenset[int]) -> Code:
    """Return a program with a fence before each store to one of some words; jumps to such a store go to its fence."""
    longer: list[tuple[int, int, int, int]] = []
    moved = []
    for op, a, b, c in code:
        moved.append(len(longer))
        if op == Op.STORE and b in words:
            longer.append((Op.FENCE, 0, 0, 0))
        longer.append((op, a, b, c))
    moved.append(len(longer))
    return tuple((op, a, b, moved[c] if op in JUMPS else c) for op, a, b, c in longer)
