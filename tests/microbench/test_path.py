"""The image's own path: trials by the state of the machine, and what goes into their prediction."""

from __future__ import annotations

import pytest

from lab.microbench.path import PathTrial, by_state
from lab.microbench.path_prediction import busy_cycles, facts_of
from lab.simulation.facts import HostFacts
from lab.simulation.layout import default
from lab.simulation.machine import host
from lab.simulation.prediction import Band, Question
from lab.simulation.workload.case import Case


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


def busy(c2c_ns: float, offered_pps: float) -> Band:
    """Return the simulated busy cycles of one core with 100 cycles of work of its own for a packet."""
    case = Case(ports=2, cores=1, batch=64, line_rate_gbps=1000.0, offered_pps=offered_pps)
    machine = host(facts(c2c_ns)).with_work(100.0)
    return busy_cycles(Question(machine, "virtio", default("padded", 1), case, seeds=(1,)), 2.5e9, jobs=2)


def test_busy_cycles_are_the_work_and_the_transfers_whatever_the_load() -> None:
    near, far = busy(25, 3e6), busy(100, 3e6)
    assert 100 < near.median < far.median
    idle = busy(25, 0.5e6)
    assert idle.median < 2.5e9 / 0.5e6 / 4, "turns without frames were counted"
