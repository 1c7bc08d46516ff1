"""Locked counters: alone in its line one costs the locked instruction, beside another's it costs transfers."""

import pytest

from lab.simulation import native
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout
from lab.simulation.workload.built import Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.counters import Counters, counter_layout
from tests.simulation.workload.machines import machine_at

WINDOW = Window(seed=1, warm_ps=20_000_000, end_ps=120_000_000)
CASE = Case(placement="near")


def increment_ns(apart_bytes: int, latency_ns: float) -> float:
    machine, numbers = machine_at(latency_ns, pair=0)
    built = Counters().build(machine, numbers, CASE, counter_layout(apart_bytes), WINDOW)
    outcome = native.simulate(built.scene)
    for value, counted in zip(outcome.memory, (stats[0] for stats in outcome.stats), strict=True):
        assert counted <= value <= counted + 1  # none is lost; the last one may not have been counted yet
    return 2e9 / built.rate_pps(outcome)


def test_alone_in_its_line_a_counter_costs_the_locked_instruction() -> None:
    locked_ns = machine_at(60)[1]["locked"] / 2.6
    assert increment_ns(128, 60) == pytest.approx(locked_ns, rel=0.05)


def test_beside_another_it_costs_more_and_the_more_the_farther() -> None:
    assert increment_ns(128, 60) < increment_ns(8, 26) < increment_ns(8, 106)


def test_a_layout_without_words_of_cores_is_refused() -> None:
    with pytest.raises(SimulationError, match="no word of each core"):
        Counters().build(*machine_at(60), CASE, Layout("packed", "nothing", ()), WINDOW)
