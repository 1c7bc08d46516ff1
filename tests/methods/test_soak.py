"""Soak, critical load and MRR: bounds that cover the truth as often as they say, over seeds."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from lab.dut.computed import ComputedDut, Pauses
from lab.methods import critical_load, mrr, soak
from lab.methods.critical_load import CriticalLoadPlan
from lab.methods.mrr import MrrPlan
from lab.methods.repeat import Conditions, TooDisturbed
from lab.methods.soak import SoakPlan
from lab.methods.trial import DirectionCount, TrialRequest, TrialResult
from lab.testbed.behaviour import Behaviour, Picks

PLAN = SoakPlan(frame_size_bytes=64, rate_pps=3e6, duration_s=100.0, loss_ratio=1e-4, load="50 % of NDR")
SEEDS = 30


def test_a_run_without_loss_is_bounded_by_the_burst_that_nobody_saw() -> None:
    """100 s without loss: with 95 % fewer than 3 bursts of 10 ms come in 100 s, so the loss ratio is below 3e-4."""
    found = soak.measure(ComputedDut(Behaviour(capacity_pps=6e6)), PLAN, Conditions())
    assert (found.loss_ratio, found.loss_ratio_low, found.lossy_chunks) == (0.0, 0.0, 0)
    assert found.loss_ratio_high == pytest.approx(2.996 * 0.01 / 100, rel=1e-3)
    assert found.high_loss_share_high == pytest.approx(0.0295, abs=1e-4)
    assert found.verdict == "open"
    short = PLAN.model_copy(update={"burst_s": 0.001})
    assert soak.measure(ComputedDut(Behaviour(capacity_pps=6e6)), short, Conditions()).verdict == "below"
    assert len(found.chunks) == found.trials == 100
    assert found.chunks[7].at_s == 7.0


@pytest.mark.parametrize("ratio", [1e-9, 2e-8, 2e-7])
def test_the_bounds_cover_the_loss_ratio_of_a_dut_that_loses_bursts(ratio: float) -> None:
    """Steps: bursts of 3000 frames (1 ms), in few or all chunks. Verify: each bound holds as often as it says."""
    burst = 3000
    truth = ratio * burst
    plan = PLAN.model_copy(update={"burst_s": burst / 3e6})
    held = np.zeros(2)
    for seed in range(SEEDS):
        dut = ComputedDut(Behaviour(seed=seed, capacity_pps=6e6, lose=Picks(ratio=ratio, burst_frames=burst)))
        found = soak.measure(dut, plan, Conditions())
        held += [found.loss_ratio_high >= truth, found.loss_ratio_low <= truth]
    assert min(held) >= 0.9 * SEEDS  # of 95 % coverage, what 30 seeds fall below once in twenty times


def test_verdicts() -> None:
    losing = Behaviour(capacity_pps=6e6, lose=Picks(every=1000))
    above = soak.measure(ComputedDut(losing), PLAN, Conditions())
    assert above.verdict == "above"
    assert above.sentence == "loss ratio above 0.0001 with 95 % confidence after 100 chunks of 1 s"
    assert (above.lossy_chunks, above.high_loss_chunks, above.high_loss_share_high) == (100, 100, 1.0)
    loose = PLAN.model_copy(update={"loss_ratio": 0.01})
    below = soak.measure(ComputedDut(losing), loose, Conditions())
    assert below.verdict == "below"
    assert below.loss_ratio == pytest.approx(0.001, rel=1e-3)
    assert "which tells neither" in soak.measure(ComputedDut(Behaviour(capacity_pps=6e6)), PLAN, Conditions()).sentence


def test_chunks_that_the_host_disturbed_count_for_nothing() -> None:
    pauses = Pauses(chance=0.3, length_s=0.002)
    dut = ComputedDut(Behaviour(capacity_pps=6e6), pauses=pauses)
    found = soak.measure(dut, PLAN, Conditions(attempts=40))
    assert found.loss_ratio == 0.0
    assert found.invalid_trials > 0
    with pytest.raises(TooDisturbed, match="in each of 100 chunks"):
        soak.measure(
            ComputedDut(Behaviour(capacity_pps=6e6), pauses=Pauses(chance=1.0, length_s=0.002)), PLAN, Conditions()
        )


class ChanceDut:
    """Loses a tenth of the frames of a trial with a chance that grows with the load, and else none."""

    def __init__(self, half_pps: float, spread: float, seed: int) -> None:
        self.half_pps, self.spread = half_pps, spread
        self._random = np.random.default_rng(seed)

    def truth_pps(self, exceed_ratio: float) -> float:
        return self.half_pps * (1.0 + self.spread * NormalDist().inv_cdf(exceed_ratio))

    def measure(self, request: TrialRequest) -> TrialResult:
        chance = 0.5 * (1.0 + math.erf((request.rate_pps / self.half_pps - 1.0) / self.spread / math.sqrt(2)))
        sent = round(request.rate_pps * request.duration_s)
        received = sent - (sent // 10 if self._random.random() < chance else 0)
        count = DirectionCount(tx_port=0, rx_port=1, intended_frames=sent, sent_frames=sent, received_frames=received)
        return TrialResult(request=request, started_at_s=0.0, duration_s=request.duration_s, directions=(count,))


SEARCH = CriticalLoadPlan(frame_size_bytes=64, begin_pps=6e6, max_rate_pps=14e6, loss_ratio=1e-4, budget_s=400.0)


@pytest.mark.parametrize("spread", [0.0005, 0.002, 0.02])
def test_the_critical_load_is_within_its_bounds_as_often_as_they_say(spread: float) -> None:
    """Steps: DUTs whose loss is a matter of chance. Verify: bounds hold for 95 % of the seeds and are not far apart."""
    held, widths, found_none = 0, [], 0
    for seed in range(SEEDS):
        dut = ChanceDut(half_pps=5e6 + 3e4 * seed, spread=spread, seed=seed)
        found = critical_load.search(dut, SEARCH, Conditions())
        truth = dut.truth_pps(SEARCH.exceed_ratio)
        low, high = found.lower_pps or 0.0, found.upper_pps or float("inf")
        held += low <= truth <= high
        found_none += found.lower_pps is None or found.upper_pps is None
        widths.append((high - low) / truth)
        assert found.chunks <= 400
    assert held >= 0.95 * SEEDS
    assert found_none <= 0.1 * SEEDS
    assert float(np.median(widths)) < 0.008 + 3 * spread


def test_the_critical_load_of_a_dut_with_noise() -> None:
    noisy = Behaviour(capacity_pps=6e6, noise_ratio=0.002, interval_ms=1000)
    found = critical_load.search(ComputedDut(noisy), SEARCH, Conditions())
    truth = 6e6 * (1 - 1.2816 * 0.002)
    assert found.lower_pps is not None
    assert found.upper_pps is not None
    assert found.lower_pps <= truth <= found.upper_pps
    assert found.upper_pps - found.lower_pps < 0.02 * truth


def test_duts_that_take_everything_little_and_nothing() -> None:
    found = critical_load.search(ComputedDut(Behaviour()), SEARCH, Conditions())
    assert (found.lower_pps, found.upper_pps) == (14e6, None)
    slow = critical_load.search(ComputedDut(Behaviour(capacity_pps=20e3, queue_frames=10_000)), SEARCH, Conditions())
    assert slow.lower_pps is not None
    assert slow.upper_pps is not None
    assert slow.lower_pps <= 30e3 <= slow.upper_pps  # in a second it forwards 20,000 and holds 10,000
    lossy = ComputedDut(Behaviour(lose=Picks(every=10)))
    none = critical_load.search(
        lossy, SEARCH.model_copy(update={"max_rate_pps": 1e5, "begin_pps": 5e4, "budget_s": 200.0}), Conditions()
    )
    assert none.lower_pps is None
    assert none.upper_pps is not None


def test_mrr() -> None:
    """Steps: 14 Mpps at a DUT of 6 with a noise of 1 %. Verify: the mean and spread of what it forwards."""
    plan = MrrPlan(frame_size_bytes=64, rate_pps=14e6, limited_by="line rate", repetitions=30)
    noisy = Behaviour(capacity_pps=6e6, noise_ratio=0.01, interval_ms=1000)
    found = mrr.measure(ComputedDut(noisy), plan, Conditions())
    assert len(found.received_pps) == found.trials == 30
    assert found.mean_pps == pytest.approx(6e6, rel=0.01)
    assert found.stdev_pps == pytest.approx(0.01 * 6e6, rel=0.5)
    assert found.loss_ratio == pytest.approx(8 / 14, rel=0.01)
    once = mrr.measure(ComputedDut(noisy), plan.model_copy(update={"repetitions": 1}), Conditions())
    assert once.stdev_pps == 0.0
    disturbed = ComputedDut(noisy, pauses=Pauses(chance=1.0, length_s=0.002))
    assert mrr.measure(disturbed, plan, Conditions()).disturbed_trials == 30
