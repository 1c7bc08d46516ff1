"""Latency by one tagged frame a trial (RFC 2544 section 26.2), of an idle DUT, and its jitter: those of the model."""

from __future__ import annotations

import pytest

from lab.dut.computed import ComputedDut
from lab.methods.bounds import Bounds
from lab.methods.latency import LatencyPlan, LoadPoint, load_points, measure
from lab.methods.repeat import Conditions, TooDisturbed
from lab.testbed.behaviour import Behaviour, Picks

NDR = Bounds(
    goal="NDR",
    frame_size_bytes=64,
    loss_ratio=0.0,
    lower_pps=1e6,
    upper_pps=1.01e6,
    forwarding_pps=1e6,
    trials=9,
    invalid_trials=0,
)
RFC_PLAN = LatencyPlan(
    frame_size_bytes=64,
    loads=load_points(NDR, (1.0,)),
    trial_duration_s=120.0,
    repetitions=20,
    tagged_rate_pps=1000.0,
    tagged_frames=1,
    tagged_after_s=60.0,
    floor_us=2.5,
)
DELAY_NS = 40_000


def test_one_tagged_frame_a_trial_and_the_average_of_them() -> None:
    dut = ComputedDut(Behaviour(delay_ns=DELAY_NS, jitter_ns=8_000))
    found = measure(dut, RFC_PLAN, Conditions())
    assert [(r.duration_s, r.tagged_frames, r.tagged_after_s, r.rate_pps) for r in dut.requests] == [
        (120.0, 1, 60.0, 1e6)
    ] * 20
    assert [(one.tx_port, one.rx_port, one.load) for one in found] == [(0, 1, "100 % of NDR"), (1, 0, "100 % of NDR")]
    for one in found:
        assert (one.samples, one.trials, one.tagged_frames, one.invalid_trials) == (20, 20, 1, 0)
        assert len(one.repetitions_us) == 20
        assert one.average_us == pytest.approx(sum(one.repetitions_us) / 20)
        assert one.average_us == pytest.approx(44.0, abs=2.0)  # 5 standard deviations of a mean of 20
        assert min(one.repetitions_us) == one.min_us >= 40.0
        assert max(one.repetitions_us) == one.max_us <= 48.0
        assert one.percentiles_us["50"] is not None
        assert one.percentiles_us["99"] is None  # 20 samples tell nothing of a tail
        assert (one.definition, one.floor_us) == ("store-and-forward", 2.5)
        assert one.jitter is not None
        assert one.jitter.ipdv is None  # no two frames of a trial to compare


def test_at_0_percent_there_are_tagged_frames_alone() -> None:
    dut = ComputedDut(Behaviour(delay_ns=DELAY_NS))
    plan = RFC_PLAN.model_copy(
        update={
            "loads": load_points(NDR, (0.0, 0.5)),
            "trial_duration_s": 1.0,
            "repetitions": 2,
            "tagged_frames": None,
            "tagged_after_s": 0.0,
        }
    )
    found = measure(dut, plan, Conditions())
    idle, half = dut.requests[0], dut.requests[2]
    assert (idle.tagged_only, idle.rate_pps, idle.tagged_rate_pps) == (True, 2000.0, 1000.0)
    assert (half.tagged_only, half.rate_pps, half.tagged_rate_pps) == (False, 5e5, 1000.0)
    assert [(one.load, one.rate_pps, one.samples) for one in found] == [
        ("0 % of NDR", 2000.0, 2000),
        ("0 % of NDR", 2000.0, 2000),
        ("50 % of NDR", 5e5, 2000),
        ("50 % of NDR", 5e5, 2000),
    ]
    assert all(one.mean_us == pytest.approx(40.0, rel=2e-3) for one in found)


def test_the_percentiles_go_as_far_as_the_count_allows_and_jitter_is_that_of_the_model() -> None:
    dut = ComputedDut(Behaviour(delay_ns=DELAY_NS, jitter_ns=10_000))
    plan = RFC_PLAN.model_copy(
        update={
            "loads": (LoadPoint(name="full", rate_pps=2e6),),
            "trial_duration_s": 1.0,
            "repetitions": 2,
            "tagged_rate_pps": 50_000.0,
            "tagged_frames": None,
            "tagged_after_s": 0.0,
        }
    )
    for one in measure(dut, plan, Conditions()):
        assert one.samples == 100_000
        assert one.percentiles_us["50"] == pytest.approx(45.0, rel=0.01)
        assert one.percentiles_us["99.99"] is not None
        assert one.percentiles_us["99.999"] is None
        assert one.jitter is not None
        assert one.jitter.pdv_percentiles_us["50"] == pytest.approx(5.0, rel=0.05)
        assert one.jitter.pdv_max_us == pytest.approx(10.0, rel=0.01)
        assert one.jitter.ipdv is not None
        assert -10.0 <= one.jitter.ipdv.min_us < -9.0
        assert 9.0 < one.jitter.ipdv.max_us <= 10.0
        assert one.jitter.ipdv.mean_abs_us == pytest.approx(10.0 / 3, rel=0.05)  # of two even distributions


def test_a_lost_tagged_frame_leaves_a_repetition_without_a_value() -> None:
    """One frame of each direction is lost: the tagged one of the third trial."""
    frames = round(0.5e6 * 120)
    dut = ComputedDut(Behaviour(delay_ns=DELAY_NS, lose=Picks(frames=(2 * frames + frames // 2,))))
    for one in measure(dut, RFC_PLAN.model_copy(update={"repetitions": 3}), Conditions()):
        assert (one.trials, one.samples, len(one.repetitions_us)) == (3, 2, 2)
        assert one.lost_frames >= 1
        assert one.average_us == pytest.approx(40.0, rel=2e-3)


def test_a_generator_that_falls_short_gives_no_latency() -> None:
    dut = ComputedDut(Behaviour(delay_ns=DELAY_NS), generator_pps=9e5)
    with pytest.raises(TooDisturbed, match=r"latency at 64 bytes, 1000000 pps: .* short of"):
        measure(dut, RFC_PLAN, Conditions())
