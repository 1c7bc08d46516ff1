"""The image's microbenchmark `forward`, simulated: frames are accounted for, and publishing each of them costs."""

from __future__ import annotations

import pytest

from lab.simulation import machines, native, reference
from lab.simulation.errors import SimulationError
from lab.simulation.layout import LayoutName, default
from lab.simulation.scene import Outcome
from lab.simulation.workload.bench_forward import BenchForward
from lab.simulation.workload.built import Built, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.qgm_plan import CROSSED, PASSED, RECEIVED, TAKEN

MACHINE = machines.load("e5-2670x2")
NUMBERS = {name: each.median for name, each in MACHINE.ranges.items()}


def run(case: Case, layout: LayoutName = "padded", end_ps: int = 60_000_000) -> tuple[Built, Outcome]:
    window = Window(seed=1, warm_ps=end_ps // 4, end_ps=end_ps)
    built = BenchForward().build(MACHINE, NUMBERS, case, default(layout, case.cores), window)
    return built, native.simulate(built.scene)


@pytest.mark.parametrize("layout", ["padded", "packed"])
@pytest.mark.parametrize(
    ("cores", "length", "batch"), [(1, 256, 32), (2, 256, 32), (4, 256, 32), (4, 4, 8), (4, 8, 64)]
)
def test_what_is_on_its_way_fits_into_the_rings(layout: LayoutName, cores: int, length: int, batch: int) -> None:
    """A frame that finds its ring full waits, and is not lost."""
    case = Case(ports=cores, cores=cores, placement="near", queue_length=length, batch=batch)
    _, outcome = run(case, layout)
    totals = [sum(stats[i] for stats in outcome.stats) for i in range(8)]
    on_their_way = totals[RECEIVED] - totals[PASSED]
    assert totals[PASSED] > 0
    assert 0 <= on_their_way <= cores * (cores - 1) * length + cores
    assert 0 <= totals[CROSSED] - totals[TAKEN] <= cores * (cores - 1) * length


def test_publishing_and_sharing_cost() -> None:
    rates = {}
    for layout in ("padded", "packed"):
        for batch in (1, 32):
            built, outcome = run(Case(ports=2, cores=2, batch=batch, placement="near"), layout)
            rates[layout, batch] = built.rate_pps(outcome)
    assert rates["packed", 1] < rates["packed", 32]
    assert rates["packed", 1] < 0.95 * rates["padded", 1]


def test_the_kernels_agree() -> None:
    window = Window(seed=1, warm_ps=1_000_000, end_ps=4_000_000)
    scene = BenchForward().build(MACHINE, NUMBERS, Case(ports=4, cores=4), default("packed", 4), window).scene
    outcome = native.simulate(scene)
    assert outcome == reference.simulate(scene)
    assert outcome.accesses > 500


def test_ports_of_others_are_refused() -> None:
    with pytest.raises(SimulationError, match="4 ports for 2 cores"):
        run(Case(ports=4, cores=2))
