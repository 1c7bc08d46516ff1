"""Why a strict search found little: the remark names what the DUT does, and is silent where trials agree."""

from lab.dut.computed import ComputedDut
from lab.methods.goals import NDR, STRICT
from lab.methods.mlr import MlrPlan
from lab.methods.mlr import search as mlr_search
from lab.methods.repeat import Conditions
from lab.methods.throughput import ThroughputPlan, search
from lab.testbed.behaviour import Behaviour, Picks

CAPACITY_PPS = 6e6
PLAN = ThroughputPlan(
    frame_size_bytes=64, max_rate_pps=10e6, trial_duration_s=2.0, resolution_ratio=0.005, repetitions=5
)
RARE = Behaviour(capacity_pps=CAPACITY_PPS, lose=Picks(ratio=3e-8, burst_frames=30))


def test_a_dut_that_always_does_the_same_needs_no_remark() -> None:
    found = search(ComputedDut(Behaviour(capacity_pps=CAPACITY_PPS)), PLAN, Conditions())
    assert len(found.repeated_pps) == 5
    assert len(set(found.repeated_pps)) == 1
    assert (found.failed_confirmations, found.remark) == (0, "")
    once = search(
        ComputedDut(Behaviour(capacity_pps=CAPACITY_PPS)), PLAN.model_copy(update={"repetitions": 1}), Conditions()
    )
    assert once.lower_pps == found.lower_pps
    assert once.repeated_pps == ()


def test_rare_loss_is_why_a_strict_search_fails() -> None:
    """Steps: a DUT of 6 Mpps drops 30 frames now and then. Verify: five searches differ, and it says why."""
    found = search(ComputedDut(RARE), PLAN, Conditions())
    rates = [rate or 0.0 for rate in found.repeated_pps]
    assert found.lower_pps == (min(rates) or None)
    assert max(rates) - min(rates) > 0.05 * CAPACITY_PPS
    assert found.lower_pps is None or found.lower_pps < 0.9 * CAPACITY_PPS
    assert found.remark.startswith("rare loss: ")
    assert "ppm of their frames" in found.remark


def test_the_strict_goal_of_a_search_says_it_as_well() -> None:
    plan = MlrPlan(frame_size_bytes=64, max_rate_pps=10e6, goals=(STRICT,), time_limit_s=100.0)
    assert mlr_search(ComputedDut(RARE), plan, Conditions())["RFC2544"].remark.startswith("rare loss: ")
    quiet = ComputedDut(Behaviour(capacity_pps=CAPACITY_PPS))
    assert mlr_search(quiet, plan, Conditions())["RFC2544"].remark == ""


def test_noise_at_the_limit_is_told_from_rare_loss() -> None:
    noisy = Behaviour(capacity_pps=CAPACITY_PPS, noise_ratio=0.005, interval_ms=2000)
    found = search(ComputedDut(noisy), PLAN, Conditions())
    assert found.remark.startswith("noise at the limit: ")


def test_two_levels_are_told_where_a_majority_decides() -> None:
    """Noise and rare loss are what a goal of a majority is made for, and no remark; two levels 10 % apart are."""
    plan = MlrPlan(frame_size_bytes=64, max_rate_pps=10e6, goals=(NDR,), time_limit_s=1e6)
    levels = Behaviour(capacity_pps=CAPACITY_PPS, slow_pps=0.9 * CAPACITY_PPS, slow_share=0.25, interval_ms=1000)
    remarks = [
        mlr_search(ComputedDut(levels.model_copy(update={"seed": seed})), plan, Conditions())["NDR"].remark
        for seed in range(1, 9)
    ]
    assert any(remark.startswith("two levels: ") for remark in remarks)
    noisy = Behaviour(capacity_pps=CAPACITY_PPS, noise_ratio=0.002, interval_ms=1000)
    for quiet in (Behaviour(capacity_pps=CAPACITY_PPS), noisy, RARE):
        assert mlr_search(ComputedDut(quiet), plan, Conditions())["NDR"].remark == ""


def test_a_confirmation_that_fails_is_counted() -> None:
    counts = [
        search(ComputedDut(RARE.model_copy(update={"seed": seed})), PLAN, Conditions()).failed_confirmations
        for seed in range(1, 6)
    ]
    assert sum(counts) > 0


def test_loss_at_every_load() -> None:
    lossy = Behaviour(capacity_pps=CAPACITY_PPS, lose=Picks(every=1000))
    found = search(ComputedDut(lossy), PLAN.model_copy(update={"repetitions": 1}), Conditions())
    assert found.lower_pps is None
    assert found.remark.startswith("loss at every load: at ")
    assert "0.1 % of the frames" in found.remark
