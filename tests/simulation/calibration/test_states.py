"""Windows become rates by state; what was interrupted or saw a jump is left out."""

import pytest

from lab.simulation.calibration.measure import Measurement, Window
from lab.simulation.calibration.points import FITTED, HELD_OUT
from lab.simulation.calibration.states import alone, states
from lab.simulation.errors import SimulationError
from tests.simulation.calibration.synthetic import TSC_HZ, alone_windows, window

POINT = FITTED[0]


def of(*windows: Window) -> Measurement:
    return Measurement(cpus=(0, 1), tsc_hz=TSC_HZ, fifo=True, windows=windows)


def at(latency_ns: float, operations: float, count: int = 8) -> list[Window]:
    return [window(POINT.text, number, operations, latency_ns) for number in range(count)]


def test_no_point_is_both_fitted_and_held_out() -> None:
    assert not {each.text for each in FITTED} & {each.text for each in HELD_OUT}


def test_near_and_far_are_kept_apart() -> None:
    near, far = states(of(*at(26, 140e6), *at(106, 30e6)), [POINT])
    assert (near.name, far.name) == ("near", "far")
    assert near.of([POINT])[0].rate.median == 140e6
    assert far.of([POINT])[0].rate.median == 30e6
    assert far.of([POINT])[0].latency_ns == pytest.approx(106)


def test_one_state_is_not_split() -> None:
    (state,) = states(of(*at(58, 50e6), *at(66, 48e6)), [POINT])
    assert (state.name, state.windows, state.left_out) == ("all", 16, 0)


def test_interrupted_windows_and_jumps_are_left_out_and_counted() -> None:
    gone = window(POINT.text, 8, 1e6, 60, gap_us=4000)
    jumped = gone.model_copy(update={"gap_us": 1.0, "after_ns": 130.0})
    (state,) = states(of(*at(60, 50e6), gone, jumped), [POINT])
    assert (state.windows, state.left_out) == (8, 2)
    assert state.of([POINT])[0].rate.low == 50e6


def test_too_few_windows_are_an_error_that_says_what_to_do() -> None:
    (state,) = states(of(*at(60, 50e6, count=3)), [POINT])
    with pytest.raises(SimulationError, match=r"3 whole windows of 'lamport 1 packed'.*--seconds"):
        state.of([POINT])
    with pytest.raises(SimulationError, match="0 whole windows"):
        state.of(HELD_OUT)
    with pytest.raises(SimulationError, match="interrupted"):
        states(of(window(POINT.text, 0, 1.0, 60, gap_us=9000)), [POINT])


def test_clock_and_loads_of_one_cpu() -> None:
    found = alone(of(*alone_windows()))
    assert found.clock_ghz.median == pytest.approx(3)
    assert found.stores_a_cycle == pytest.approx(5.9 / 3)
    assert [each.median for each in found.load_ns.values()] == pytest.approx([2, 5, 20, 100])
    with pytest.raises(SimulationError, match="clock"):
        alone(of(*at(60, 1e6)))
