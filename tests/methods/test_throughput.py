"""The plain binary search finds the known rate of the model, within its resolution, and never reports a lossy load."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.dut.computed import ComputedDut, Pauses
from lab.methods.repeat import Conditions
from lab.methods.throughput import ThroughputPlan, search
from lab.testbed.behaviour import Behaviour, Picks

PLAN = ThroughputPlan(frame_size_bytes=64, max_rate_pps=10e6, trial_duration_s=1.0, resolution_ratio=0.005)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.02, 0.85), st.sampled_from([0.0, 0.002, 0.02]), st.integers(0, 1000))
def test_the_bounds_enclose_the_truth(share: float, noise: float, seed: int) -> None:
    capacity_pps = share * PLAN.max_rate_pps
    behaviour = Behaviour(capacity_pps=capacity_pps, noise_ratio=noise, interval_ms=1000.0, queue_frames=2, seed=seed)
    dut = ComputedDut(behaviour)
    found = search(dut, PLAN, Conditions())
    assert found.lower_pps is not None
    assert found.upper_pps is not None
    assert 0 < found.upper_pps - found.lower_pps <= PLAN.resolution_ratio * PLAN.max_rate_pps
    assert found.lower_pps <= capacity_pps * (1 + 4.5 * noise)
    if noise == 0:
        assert found.lower_pps <= capacity_pps + 2 <= found.upper_pps + 4


def test_line_rate_or_more() -> None:
    dut = ComputedDut(Behaviour(capacity_pps=11e6))
    found = search(dut, PLAN, Conditions())
    assert (found.lower_pps, found.upper_pps) == (10e6, None)
    assert len(dut.requests) == 2  # the load and its confirmation


def test_no_load_without_loss() -> None:
    found = search(ComputedDut(Behaviour(capacity_pps=11e6, lose=Picks(every=100))), PLAN, Conditions())
    assert found.lower_pps is None
    assert found.upper_pps is not None
    assert found.upper_pps <= 2 * PLAN.resolution_ratio * PLAN.max_rate_pps


def test_a_load_that_fails_its_confirmation_is_an_upper_bound() -> None:
    dut = ComputedDut(Behaviour(capacity_pps=6e6, noise_ratio=0.05, interval_ms=1000.0, seed=5))
    lossy = []

    class Watched:
        def measure(self, request):  # type: ignore[no-untyped-def]
            result = dut.measure(request)
            if result.lost_frames:
                lossy.append(request.rate_pps)
            return result

    found = search(Watched(), PLAN, Conditions())
    assert found.lower_pps is not None
    assert found.lower_pps < min(lossy) == found.upper_pps
    assert dut.requests[-1].rate_pps == found.lower_pps


def test_an_undisturbed_search_takes_the_trials_that_it_foretells() -> None:
    dut = ComputedDut(Behaviour(capacity_pps=6.1e6))
    search(dut, PLAN, Conditions())
    assert abs(len(dut.requests) - PLAN.expected_trials) <= 1


def test_a_host_that_is_never_quiet_lowers_the_bounds_and_says_so() -> None:
    dut = ComputedDut(Behaviour(capacity_pps=8e6), pauses=Pauses(chance=1.0, length_s=0.002, hurts_from_pps=6e6))
    found = search(dut, PLAN, Conditions())
    assert found.lower_pps == pytest.approx(6e6, rel=0.01)
    assert found.upper_in_doubt
    assert not search(ComputedDut(Behaviour(capacity_pps=8e6)), PLAN, Conditions()).upper_in_doubt


def test_disturbed_trials_do_not_move_the_bounds() -> None:
    quiet = search(ComputedDut(Behaviour(capacity_pps=6e6)), PLAN, Conditions())
    stormy = search(
        ComputedDut(Behaviour(capacity_pps=6e6), pauses=Pauses(chance=0.4, length_s=0.01)),
        PLAN,
        Conditions(attempts=40),
    )
    assert (stormy.lower_pps, stormy.upper_pps) == (quiet.lower_pps, quiet.upper_pps)
    assert stormy.invalid_trials > 0
    assert stormy.lower_pps == pytest.approx(6e6, rel=0.01)
