"""The microbenchmark with a known answer."""

from dataclasses import replace

import pytest

from lab.errors import UsageError
from lab.simulation import native
from lab.simulation.layout import default
from lab.simulation.scene import Protocol
from lab.simulation.workload.built import Built, Window
from lab.simulation.workload.case import Case, Placement
from lab.simulation.workload.ping_pong import PingPong
from tests.simulation.workload.machines import machine_at, two_sockets

WINDOW = Window(seed=1, warm_ps=100_000_000, end_ps=1_000_000_000)
LAYOUT = default("packed", 2)


def rate(built: Built) -> float:
    return built.rate_pps(native.simulate(built.scene))


@pytest.mark.parametrize("one_way_ns", [16, 26.7, 32.4, 58, 107, 114, 147, 197])
@pytest.mark.parametrize("protocol", list(Protocol))
def test_it_returns_its_latency_within_8_percent(one_way_ns: float, protocol: Protocol) -> None:
    machine, numbers = machine_at(one_way_ns)
    machine = replace(machine, protocol=protocol)
    built = PingPong().build(machine, numbers, Case(placement="near"), LAYOUT, WINDOW)
    assert 1e9 / rate(built) == pytest.approx(one_way_ns, rel=0.08)


@pytest.mark.parametrize(("placement", "expected_ns"), [("near", 30), ("far", 120), ("spread", 120)])
def test_the_placement_says_how_far_apart(placement: Placement, expected_ns: float) -> None:
    built = PingPong().build(*two_sockets(30), Case(placement=placement), LAYOUT, WINDOW)
    assert 1e9 / rate(built) == pytest.approx(expected_ns, rel=0.08)


def test_a_placement_that_the_machine_has_not_is_refused() -> None:
    with pytest.raises(UsageError, match="far"):
        PingPong().build(*machine_at(30), Case(placement="far"), LAYOUT, WINDOW)
