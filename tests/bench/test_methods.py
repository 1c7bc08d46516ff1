"""The methods find what is true of 100 devices, and a strict search fails where RFC 2544's reading of a DUT does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from lab.bench import estimates, methods
from lab.bench.estimates import CAPACITY_PPS, LINE_PPS, Estimate, spread
from lab.bench.methods import SEEDS
from lab.dut.computed import ComputedDut
from lab.methods import mlr
from lab.methods.profiles import STANDARD
from lab.methods.repeat import Conditions
from lab.methods.throughput import ThroughputPlan, search
from lab.testbed.behaviour import Behaviour, Picks

HALF_A_PER_CENT = 0.005


def of_all(method: Callable[[str, int], list[Estimate]], kind: str, seeds: Sequence[int] = SEEDS) -> list[Estimate]:
    return [one for seed in seeds for one in method(kind, seed)]


@pytest.mark.parametrize(("kind", "seeds"), [("clean", SEEDS), ("noisy", SEEDS[::4]), ("stalls", SEEDS[::4])])
def test_ndr_and_pdr_are_within_half_a_per_cent(kind: str, seeds: Sequence[int]) -> None:
    for one in of_all(estimates.ndr_and_pdr, kind, seeds):
        assert one.error < HALF_A_PER_CENT, one


@pytest.mark.parametrize("kind", ["bursts", "collapse", "shallow"])
def test_rare_loss_hysteresis_and_a_short_queue_do_not_move_them(kind: str) -> None:
    for one in of_all(estimates.ndr_and_pdr, kind, SEEDS[::20]):
        assert one.error < HALF_A_PER_CENT, one


def test_the_longest_burst_is_found_to_the_frame() -> None:
    for one in of_all(estimates.burst_length, "clean"):
        assert one.found == one.truth, one


@pytest.mark.parametrize("kind", ["clean", "noisy"])
def test_recovery_and_reset_times_are_found_to_the_frame(kind: str) -> None:
    """A frame of each direction takes 2 / rate: of half the overload, and of 90 % of the capacity."""
    for one in of_all(estimates.recovery_time, kind):
        assert one.found == pytest.approx(one.truth, abs=2 / (0.55 * CAPACITY_PPS) + 1e-9), one
    for one in of_all(estimates.reset_time, kind):
        assert one.found == pytest.approx(one.truth, abs=2 / (0.9 * CAPACITY_PPS) + 1e-9), one


def test_the_loss_rate_is_exact() -> None:
    for kind in ("clean", "shallow"):
        for seed, one in zip(SEEDS, of_all(estimates.loss_curve, kind), strict=True):
            sent_frames = 10 * spread(seed, 1.2 * CAPACITY_PPS, LINE_PPS)
            assert one.found == pytest.approx(one.truth, abs=4 / sent_frames), one


def test_latency_and_order_are_as_they_were_made() -> None:
    for one in of_all(estimates.latency_median, "clean", SEEDS[::10]):
        assert one.error < 0.01, one
    for one in of_all(estimates.reordered_ratio, "clean", SEEDS[::20]):
        assert one.found == pytest.approx(one.truth, abs=4 * (one.truth / 200_000) ** 0.5), one  # 200000 tagged frames


def test_the_rate_at_full_load_and_the_bounds_of_a_soak_hold() -> None:
    for one in of_all(estimates.full_load, "clean", SEEDS[::5]):
        assert one.error < 1e-5, one
    missed = [one for one in of_all(estimates.soak_loss, "clean", SEEDS[::10]) if one.remark]
    assert len(missed) <= 1  # they hold with a confidence of 95 % each


STRICT_PLAN = ThroughputPlan(
    frame_size_bytes=64, max_rate_pps=2 * CAPACITY_PPS, trial_duration_s=10.0, resolution_ratio=0.005, repetitions=5
)


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (Behaviour(capacity_pps=CAPACITY_PPS, lose=Picks(ratio=1e-8, burst_frames=30)), "rare loss"),
        (
            Behaviour(capacity_pps=CAPACITY_PPS, slow_pps=0.7 * CAPACITY_PPS, slow_share=0.05, interval_ms=1000.0),
            "rare loss",
        ),
        (Behaviour(capacity_pps=CAPACITY_PPS, noise_ratio=0.01, interval_ms=1000.0), "noise at the limit"),
    ],
    ids=["bursts", "bimodal", "noise"],
)
def test_a_strict_search_finds_too_little_or_something_else_each_time_and_says_why(
    behaviour: Behaviour, says: str
) -> None:
    """Steps: five strict searches, one for NDR and PDR. Verify: those disagree and say why, this finds the truth."""
    found = search(ComputedDut(behaviour), STRICT_PLAN, Conditions())
    rates = [rate or 0.0 for rate in found.repeated_pps]
    assert min(rates) < (1 - 2 * HALF_A_PER_CENT) * CAPACITY_PPS
    assert max(rates) > (1 + HALF_A_PER_CENT) * min(rates)
    assert found.remark.startswith(says)
    plan = mlr.MlrPlan(frame_size_bytes=64, max_rate_pps=2 * CAPACITY_PPS, goals=STANDARD.goals, time_limit_s=1e6)
    tolerant = mlr.search(ComputedDut(behaviour), plan, Conditions())
    noise = 2 * behaviour.noise_ratio
    for goal in STANDARD.goals:
        assert tolerant[goal.name].lower_pps == pytest.approx(
            CAPACITY_PPS / (1 - goal.loss_ratio), rel=HALF_A_PER_CENT + noise
        )


def test_the_lines_say_how_far_off_the_methods_are() -> None:
    made = methods.line(
        "clean",
        [
            Estimate("NDR", 98.0, 100.0),
            Estimate("NDR", 101.0, 100.0, "rare loss"),
            Estimate("NDR", None, 100.0),
        ],
    )
    assert (made.bench, made.value, made.runs) == ("methods:NDR:clean", 100.0, 3)
    assert made.ratio == pytest.approx(0.995)
    assert made.note.startswith("median 2 %, 95 % of them within 100 %; 1 found nothing, 1 say")
