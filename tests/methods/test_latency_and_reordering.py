"""Latency and reordering of a model with known latency and order, and the loads they are measured at."""

import pytest

from lab.dut.computed import ComputedDut, Pauses
from lab.methods.bounds import Bounds
from lab.methods.latency import measure as measure_latency
from lab.methods.profiles import QUICK
from lab.methods.reordering import measure as measure_reordering
from lab.methods.repeat import Conditions
from lab.testbed.behaviour import Behaviour, Picks

NDR = Bounds(
    goal="NDR",
    frame_size_bytes=64,
    loss_ratio=0.0,
    lower_pps=2e6,
    upper_pps=2.01e6,
    forwarding_pps=2e6,
    trials=9,
    invalid_trials=0,
)
NONE = NDR.model_copy(update={"lower_pps": None})


def test_latency_at_each_load_and_direction() -> None:
    plan = QUICK.latency_plan(NDR).model_copy(update={"repetitions": 2, "trial_duration_s": 0.5})
    dut = ComputedDut(Behaviour(delay_ns=10_000, jitter_ns=2_000))
    measured = measure_latency(dut, plan, Conditions())
    assert [(m.load, m.rate_pps, m.tx_port, m.rx_port) for m in measured] == [
        (f"{share} % of NDR", share * 2e4, tx, 1 - tx) for share in (10, 50, 90) for tx in (0, 1)
    ]
    for one in measured:
        assert one.samples == 10_000
        assert one.min_us == pytest.approx(10.0, abs=0.1)
        assert one.percentiles_us["50"] == pytest.approx(11.0, rel=0.01)
        assert one.percentiles_us["99.9"] == pytest.approx(11.998, rel=0.002)
        assert one.percentiles_us["99.999"] is None
        assert (one.trials, one.disturbed_trials, one.lost_frames) == (2, 0, 0)


def test_a_disturbed_latency_trial_is_marked_and_its_loss_reported() -> None:
    plan = QUICK.latency_plan(NDR).model_copy(update={"trial_duration_s": 0.5})
    dut = ComputedDut(Behaviour(capacity_pps=3e6), pauses=Pauses(chance=1.0, length_s=0.01))
    for one in measure_latency(dut, plan, Conditions()):
        assert one.disturbed_trials == one.trials == 1
        assert one.lost_frames > 0


def test_reordering_is_found_as_it_was_made() -> None:
    """Every fifth frame is a tagged one, and of 101 frames the last goes out seven places later, tagged or not."""
    plan = QUICK.reordering_plan(NDR, 0.9)
    assert plan is not None
    dut = ComputedDut(Behaviour(move=Picks(every=101), move_places=7))
    measured = measure_reordering(dut, plan, Conditions())
    assert measured.load == "90 % of NDR"
    assert measured.tagged_rate_pps == pytest.approx(180_000)
    assert [(r.tx_port, r.reordered, r.extent_max) for r in measured.records] == [(0, 1782, 1), (1, 1782, 1)]
    assert measured.records[0].ratio == pytest.approx(1 / 101, abs=1e-5)
    assert (measured.trials, measured.invalid_trials) == (1, 0)
    for record in measured.records:
        detail = record.detail
        assert detail is not None
        assert (detail.arrivals, detail.reordered) == (record.received, record.reordered)
        assert detail.extent.counts == ((1, 1782),)
        assert detail.displacement.counts == ((-1, 1782), (0, record.received - 2 * 1782), (1, 1782))
        assert detail.occupancy.counts == ((0, record.received - 1782), (1, 1782))
        assert detail.gap.count == detail.discontinuities - 1 == 1781
        assert [detail.n_reordering.reordered(n) for n in (1, 2)] == [1782, 0]


def test_without_a_rate_there_is_nothing_to_measure_at() -> None:
    assert QUICK.reordering_plan(NONE) is None
    assert measure_latency(ComputedDut(Behaviour(capacity_pps=2e6)), QUICK.latency_plan(NONE), Conditions()) == ()
