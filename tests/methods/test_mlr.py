"""NDR and PDR of models with known truth."""

import pytest

from lab.dut.computed import ComputedDut, Pauses
from lab.errors import LabError
from lab.methods.bounds import Bounds
from lab.methods.goals import GOALS, NDR, PDR, STRICT, TST009, RateGoal
from lab.methods.mlr import MlrPlan, search
from lab.methods.profiles import QUICK, STANDARD
from lab.methods.repeat import Conditions, TooDisturbed
from lab.testbed.behaviour import Behaviour, Picks

TOP_PPS = 29.76e6


def found(dut: ComputedDut, goals: tuple[RateGoal, ...] = QUICK.goals, **conditions: int) -> dict[str, Bounds]:
    plan = MlrPlan(frame_size_bytes=64, max_rate_pps=TOP_PPS, goals=goals, time_limit_s=100.0)
    return search(dut, plan, Conditions(**conditions))  # type: ignore[arg-type]


@pytest.mark.parametrize("capacity_pps", [0.3e6, 4.2e6, 9.0e6, 28.0e6])
@pytest.mark.parametrize("goals", [QUICK.goals, STANDARD.goals], ids=["quick", "standard"])
def test_the_bounds_enclose_the_truth_of_an_exact_dut(capacity_pps: float, goals: tuple[RateGoal, ...]) -> None:
    # With but two places in the queue, what it holds at the end of a trial is no capacity worth counting.
    results = found(ComputedDut(Behaviour(capacity_pps=capacity_pps, queue_frames=2)), goals)
    truth = {"NDR": capacity_pps, "PDR": capacity_pps / (1 - 0.005)}
    for name, bounds in results.items():
        assert bounds.lower_pps is not None
        assert bounds.upper_pps is not None
        assert bounds.lower_pps <= truth[name] * (1 + 1e-5)
        assert bounds.upper_pps >= truth[name] * (1 - 1e-5)
        assert 1 - bounds.lower_pps / bounds.upper_pps <= goals[0].width_ratio


@pytest.mark.parametrize(("goals", "step"), [(QUICK.goals, 1), (STANDARD.goals, 5)], ids=["quick", "standard"])
def test_a_noise_of_two_thousandths_leaves_them_within_half_a_per_cent(goals: tuple[RateGoal, ...], step: int) -> None:
    for seed in range(0, 100, step):
        capacity_pps = 3e6 + 2.6e5 * seed
        results = found(ComputedDut(Behaviour(capacity_pps=capacity_pps, noise_ratio=0.002, seed=seed)), goals)
        assert results["NDR"].lower_pps == pytest.approx(capacity_pps, rel=0.005)
        assert results["PDR"].lower_pps == pytest.approx(capacity_pps / 0.995, rel=0.005)


def test_a_noise_that_lasts_as_long_as_a_trial_leaves_them_there_as_well() -> None:
    for seed in range(0, 100, 5):
        noisy = Behaviour(capacity_pps=3e6 + 2.6e5 * seed, noise_ratio=0.002, interval_ms=1000, seed=seed)
        results = found(ComputedDut(noisy))
        assert results["NDR"].lower_pps == pytest.approx(noisy.capacity_pps, rel=0.005)
        assert results["PDR"].lower_pps == pytest.approx(noisy.capacity_pps / 0.995, rel=0.005)


@pytest.mark.parametrize("capacity_pps", [1e6, 3e6, 10e6])
def test_what_a_deep_queue_holds_at_the_end_of_a_trial_is_part_of_the_truth(capacity_pps: float) -> None:
    """A queue of 65536 lets 65536 frames more pass in a trial of a second: the truth at that duration."""
    dut = ComputedDut(Behaviour(capacity_pps=capacity_pps, queue_frames=65536))
    for name, bounds in found(dut).items():
        truth_pps = dut.truth_pps({"NDR": 0.0, "PDR": 0.005}[name], 1.0)
        assert truth_pps > capacity_pps + 65000
        assert bounds.lower_pps == pytest.approx(truth_pps, rel=0.005)


def test_a_base_loss_below_the_pdr_goal_leaves_a_pdr_and_no_ndr() -> None:
    results = found(ComputedDut(Behaviour(capacity_pps=9e6, lose=Picks(every=1000))))
    assert results["NDR"].lower_pps is None
    assert results["NDR"].upper_pps == pytest.approx(TOP_PPS / 1000)
    assert results["PDR"].lower_pps == pytest.approx(9e6 / 0.995, rel=0.01)
    assert results["PDR"].forwarding_pps == pytest.approx(results["PDR"].lower_pps, rel=0.006)


def test_line_rate_or_more() -> None:
    results = found(ComputedDut(Behaviour(capacity_pps=40e6)))
    assert {(b.lower_pps, b.upper_pps) for b in results.values()} == {(TOP_PPS, None)}


def test_disturbed_trials_are_repeated_and_move_nothing() -> None:
    quiet = found(ComputedDut(Behaviour(capacity_pps=9e6)))
    stormy = found(ComputedDut(Behaviour(capacity_pps=9e6), pauses=Pauses(chance=0.4, length_s=0.01)), attempts=60)
    for name, bounds in stormy.items():
        assert (bounds.lower_pps, bounds.upper_pps) == (quiet[name].lower_pps, quiet[name].upper_pps)
        assert bounds.invalid_trials > 0


def test_a_host_that_is_never_quiet_lowers_the_rates_and_never_raises_them() -> None:
    dut = ComputedDut(Behaviour(capacity_pps=9e6), pauses=Pauses(chance=1.0, length_s=0.0001, hurts_from_pps=7e6))
    results = found(dut)
    ndr, pdr = results["NDR"], results["PDR"]
    assert ndr.lower_pps is not None
    assert ndr.lower_pps == pytest.approx(7e6, rel=0.006)
    assert ndr.lower_pps <= 7e6
    assert ndr.upper_in_doubt
    assert pdr.lower_pps is not None
    assert pdr.lower_pps <= 9e6 / 0.995
    assert pdr.lower_pps == pytest.approx(9e6, rel=0.01)
    assert not pdr.upper_in_doubt  # more are lost there than the pauses explain
    assert len(dut.requests) < 80


def test_loss_at_every_load_on_a_disturbed_host_is_no_result() -> None:
    with pytest.raises(TooDisturbed, match="pauses of the test host"):
        found(ComputedDut(Behaviour(capacity_pps=9e6), pauses=Pauses(chance=1.0, length_s=0.01)))


def test_a_search_without_end_is_ended() -> None:
    plan = MlrPlan(frame_size_bytes=64, max_rate_pps=TOP_PPS, goals=QUICK.goals, time_limit_s=1e-9)
    with pytest.raises(LabError, match=r"NDR\+PDR at 64 bytes: .*takes too long.* limit 0 s"):
        search(ComputedDut(Behaviour(capacity_pps=9e6)), plan, Conditions())


def test_all_named_goals_are_searched_for_together() -> None:
    """Steps: NDR, PDR, RFC 2544 and TST009 in one search. Verify: the truth of each within its width."""
    dut = ComputedDut(Behaviour(capacity_pps=9e6))
    results = found(dut, (NDR, PDR, STRICT, TST009))
    assert set(results) == set(GOALS)
    for name, bounds in results.items():
        truth = 9e6 / (1 - GOALS[name].loss_ratio)
        assert bounds.lower_pps is not None
        assert truth * (1 - GOALS[name].width_ratio) <= bounds.lower_pps <= truth * (1 + 1e-6)
    long = [r for r in dut.requests if r.duration_s == 60.0]
    assert {r.rate_pps for r in long} >= {results["RFC2544"].lower_pps, results["TST009"].lower_pps}
