"""The bench of the simulator runs, and both of its kernels simulate the same scene."""

import pytest

from lab.bench.simulator import LAYOUTS, built, simulator
from lab.simulation import native, reference
from lab.simulation.errors import SimulationError
from lab.simulation.layout import LayoutName


@pytest.mark.skipif(not native.available(), reason="the C kernel is not built (make native)")
def test_the_bench_prints_a_line_a_layout() -> None:
    lines = list(simulator(kernel_ps=4_000_000, reference_ps=500_000, runs=1))
    assert [line.bench for line in lines] == ["simulator", "simulator:packed"]
    assert all(line.value > 0 and line.ratio > 0 and "packets/s" in line.note for line in lines)


@pytest.mark.skipif(not native.available(), reason="the C kernel is not built (make native)")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_kernels_simulate_the_same(layout: LayoutName) -> None:
    short = built(layout, 1_000_000).scene
    assert native.simulate(short) == reference.simulate(short)


def test_without_the_kernel_there_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available", lambda: False)
    with pytest.raises(SimulationError, match="make native"):
        next(simulator())
