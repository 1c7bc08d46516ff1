"""The image's own path: trials by the state of the machine, and what goes into their prediction."""

from __future__ import annotations

import pytest

from lab.microbench.path import PathTrial, by_state
from lab.microbench.path_prediction import cycles_a_packet, facts_of
from lab.simulation.facts import HostFacts
from lab.simulation.prediction import Band


def facts(c2c_ns: float) -> HostFacts:
    return HostFacts(
        tsc_hz=2.5e9, c2c_latency_ns_low=0.9 * c2c_ns, c2c_latency_ns_median=c2c_ns, c2c_latency_ns_high=1.2 * c2c_ns,
        windows=10,
    )  # fmt: skip


def trial(before_ns: float, after_ns: float, cycles: float = 40.0, disturbed: bool = False) -> PathTrial:
    return PathTrial(
        before=facts(before_ns), after=facts(after_ns), forwarded_pps=6e6, cycles_a_packet=cycles, frames_a_turn=8.0,
        disturbed=disturbed,
    )  # fmt: skip


def test_a_machine_in_one_state() -> None:
    trials = [trial(26, 28) for _ in range(6)]
    assert by_state(trials) == (("all", tuple(trials)),)
    assert by_state([trial(26, 26, disturbed=True)]) == ()


def test_near_and_far_are_kept_apart_and_what_spans_a_jump_is_left_out() -> None:
    near, far = [trial(26, 27) for _ in range(4)], [trial(104, 106, 130.0) for _ in range(4)]
    states = by_state([*near, trial(27, 105), *far, trial(105, 105, 999.0, disturbed=True)])
    assert states == (("near", tuple(near)), ("far", tuple(far)))


def test_the_latency_around_the_trials_is_what_is_predicted_from() -> None:
    seen = facts_of([trial(26, 28), trial(28, 30)])
    assert seen.c2c_latency_ns_median == 28
    assert seen.c2c_latency_ns_low == pytest.approx(25.2)
    assert (seen.tsc_hz, seen.windows) == (2.5e9, 40)


def test_a_greater_rate_is_fewer_cycles() -> None:
    band = cycles_a_packet(Band(low=10e6, median=20e6, high=50e6), clock_hz=2e9, cores=2)
    assert (band.low, band.median, band.high) == (80.0, 200.0, 400.0)
