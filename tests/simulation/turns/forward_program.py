"""The programs that ``forward`` is simulated by."""

from __future__ import annotations

from lab.simulation.accesses import Description
from lab.simulation.workload.bench_forward import BenchForward
from lab.simulation.workload.case import Case
from tests.simulation.turns.forward import ForwardCore
from tests.simulation.turns.programs import MACHINE, NUMBERS, WINDOW, Programs, Totals, layout_of, words_of


class ForwardPrograms(Programs):
    """The cores of a window of the benchmark."""

    def __init__(self, description: Description, cores: int, batch: int, length: int) -> None:
        """Build them as the workload does."""
        case = Case(ports=cores, cores=cores, batch=batch, queue_length=length)
        layout = layout_of(description, cores, cores, generic_cores=0)
        built = BenchForward().build(MACHINE, NUMBERS, case, layout, WINDOW)
        super().__init__((agent.code for agent in built.scene.agents), words_of(description, built.word_names, cores))

    def turn(self, found: ForwardCore) -> Totals:
        """Return what the turn does that finds its core so."""
        return self.run(found.core, (frame.port - 1 for frame in found.received))
