"""The curve of the frame loss rate is the model's, and ends after two loads without loss."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lab.dut.computed import ComputedDut, Pauses
from lab.methods.loss_rate import LossRatePlan, measure
from lab.methods.repeat import Conditions, TooDisturbed
from lab.testbed.behaviour import Behaviour, Picks

PLAN = LossRatePlan(
    frame_size_bytes=64, max_rate_pps=10e6, line_rate_pps=20e6, limited_by="generator ceiling", trial_duration_s=1.0
)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.05, 1.2), st.sampled_from([0.1, 0.05, 0.03]))
def test_each_point_is_the_truth(share: float, step_ratio: float) -> None:
    capacity_pps = share * PLAN.max_rate_pps
    dut = ComputedDut(Behaviour(capacity_pps=capacity_pps, queue_frames=2))
    curve = measure(dut, PLAN.model_copy(update={"step_ratio": step_ratio}), Conditions())
    for number, point in enumerate(curve.points):
        assert point.rate_pps == pytest.approx((1 - number * step_ratio) * PLAN.max_rate_pps)
        assert point.percent == pytest.approx(100 * (1 - number * step_ratio))
        assert point.line_percent == pytest.approx(point.percent / 2)
        assert point.loss_ratio == pytest.approx(max(0.0, 1 - capacity_pps / point.rate_pps), abs=4 / point.rate_pps)
        assert point.valid
    without_loss = [p.loss_ratio == 0.0 for p in curve.points]
    assert curve.complete == (without_loss[-2:] == [True, True])
    assert sum(without_loss) <= 2
    assert curve.complete or curve.points[-1].rate_pps <= step_ratio * PLAN.max_rate_pps * 1.0001
    assert (curve.trials, curve.invalid_trials) == (len(curve.points), 0)


def test_a_dut_that_always_loses_is_followed_to_the_least_load() -> None:
    curve = measure(ComputedDut(Behaviour(capacity_pps=20e6, lose=Picks(every=100))), PLAN, Conditions())
    assert [p.percent for p in curve.points] == [100, 90, 80, 70, 60, 50, 40, 30, 20, 10]
    assert not curve.complete
    assert all(p.loss_ratio == pytest.approx(0.01, rel=1e-4) for p in curve.points)


def test_a_load_in_doubt_has_no_number_and_is_not_without_loss() -> None:
    dut = ComputedDut(Behaviour(capacity_pps=20e6), pauses=Pauses(chance=1.0, length_s=0.002, hurts_from_pps=8.5e6))
    curve = measure(dut, PLAN, Conditions())
    doubtful, rest = curve.points[:2], curve.points[2:]
    assert [(p.valid, p.loss_ratio, p.least_loss_ratio) for p in doubtful] == [(False, None, None)] * 2
    assert all("the test host can have cost" in p.reason for p in doubtful)
    assert [(p.valid, p.loss_ratio) for p in rest] == [(True, 0.0), (True, 0.0)]
    assert curve.complete
    assert curve.invalid_trials == 10


def test_loss_beyond_what_a_pause_explains_is_a_number_with_its_least() -> None:
    dut = ComputedDut(Behaviour(capacity_pps=9.5e6, queue_frames=2), pauses=Pauses(chance=1.0, length_s=0.01))
    first = measure(dut, PLAN, Conditions()).points[0]
    assert first.valid
    assert first.disturbed
    assert first.loss_ratio == pytest.approx(1 - 0.99 * 0.95, rel=1e-4)
    assert first.least_loss_ratio == pytest.approx(1 - 0.99 * 0.95 - 1.5 * 0.01, rel=1e-4)


def test_a_generator_that_falls_short_gives_no_curve() -> None:
    with pytest.raises(TooDisturbed, match=r"frame loss rate at 64 bytes, 10000000 pps: .* short of"):
        measure(ComputedDut(Behaviour(capacity_pps=20e6), generator_pps=9.9e6), PLAN, Conditions())


def test_steps_above_a_tenth_are_not_the_test_of_the_rfc() -> None:
    with pytest.raises(ValidationError):
        LossRatePlan.model_validate(PLAN.model_dump() | {"step_ratio": 0.2})
