"""The computed DUT: its counts, times and records follow from its behaviour, as can be told beforehand."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lab.dut.computed import ComputedDut, Pauses
from lab.errors import UsageError
from lab.methods.trial import LoadStep, TrialRequest, TrialResult, burst
from lab.methods.validity import ValidityLimits, judge
from lab.metrics.latency import merge
from lab.testbed.behaviour import Behaviour, Picks

CAPACITY_PPS = 3e6


def dut(directions: int = 2, **values: Any) -> ComputedDut:
    return ComputedDut(Behaviour(**{"capacity_pps": CAPACITY_PPS, **values}), directions=directions)


def request(rate_pps: float, duration_s: float = 1.0, **values: Any) -> TrialRequest:
    values = {"frame_size_bytes": 64, "tagged": False, **values}
    return TrialRequest(rate_pps=rate_pps, duration_s=duration_s, **values)


def lost(result: TrialResult) -> list[int]:
    return [direction.lost_frames for direction in result.directions]


def test_a_burst_is_lost_from_when_the_queue_is_full() -> None:
    """Of frames at twice the capacity every other one stays in the queue: 64 places are full after 127."""
    alone = dut(directions=1, queue_frames=64)
    rate_pps = 2 * CAPACITY_PPS
    for frames, gone in ((126, 0), (127, 0), (128, 1), (130, 2), (1127, 500)):
        result = alone.measure(burst(64, frames, rate_pps, 1))
        assert (result.sent_frames, result.lost_frames) == (frames, gone)
    assert alone.truth_burst_frames(rate_pps) == 127
    assert dut(queue_frames=64).truth_burst_frames(rate_pps) == 63  # of each direction; 128 in all are one too many


def test_what_is_above_the_capacity_is_lost_evenly_and_the_queue_still_goes_out() -> None:
    result = dut(queue_frames=1000).measure(request(5e6, 2.0))
    assert lost(result) == pytest.approx([2e6 - 500] * 2, abs=2)
    times = result.loss_times[1]
    assert times.frame_time_s == pytest.approx(4e-7)
    assert times.first_lost_at_s == pytest.approx(1000 / 2e6, abs=2e-6)
    assert times.last_lost_at_s == pytest.approx(2.0, abs=2e-6)
    assert times.longest_frames == 1  # two of five
    assert lost(dut().measure(request(2.99e6))) == [0, 0]


def test_the_load_goes_on_with_the_steps_without_a_pause() -> None:
    """The queue is full when the load falls: nothing is lost any more from the first frame on."""
    steps = (LoadStep(rate_pps=1e6, duration_s=0.5), LoadStep(rate_pps=6e6, duration_s=0.5))
    result = dut().measure(request(6e6, 1.0, steps=steps))
    assert [step.sent_frames for step in result.steps[::2]] == [3_000_000, 250_000, 1_500_000]
    assert [step.lost_frames for step in result.steps[2:4]] == [0, 0]
    assert result.steps[0].lost_frames + result.steps[4].lost_frames == result.directions[0].lost_frames
    assert result.loss_times[2].first_lost_at_s is None
    assert result.duration_s == 2.0


def test_after_overload_it_recovers_an_interval_after_the_load_has_fallen() -> None:
    slow = dut(overloaded_pps=1e6, recovery_pps=2e6, interval_ms=10.0)
    result = slow.measure(request(6e6, 1.003, steps=(LoadStep(rate_pps=1.5e6, duration_s=0.5),)))
    after = result.loss_times[2]
    assert after.last_lost_at_s == pytest.approx(0.017, abs=2 * after.frame_time_s)


def test_a_dead_device_loses_all_that_comes_and_no_more() -> None:
    """It dies at 0.25 s for 0.5 s: of 100 frames a second in each direction numbers 25 to 74 come meanwhile."""
    mortal = dut()
    mortal.die(0.25, 0.5)
    result = mortal.measure(request(200.0))
    assert lost(result) == [50, 50]
    for times in result.loss_times:
        assert (times.longest_frames, times.exact) == (50, True)
        assert times.longest_at_s == pytest.approx(0.25)
        assert times.first_lost_at_s == pytest.approx(0.25)
        assert times.last_lost_at_s == pytest.approx(0.74)
    assert lost(mortal.measure(request(200.0))) == [0, 0]


def test_frames_are_picked_by_their_numbers_since_the_begin() -> None:
    picky = dut(capacity_pps=0, lose=Picks(frames=(3, 105), every=50, burst_frames=2))
    first = picky.measure(request(200.0))
    assert lost(first) == [5, 5]  # 3, 4, 49, 50, 99
    assert first.loss_times[0].longest_frames == 2
    assert first.loss_times[0].last_lost_at_s == pytest.approx(0.99)
    assert lost(picky.measure(request(200.0))) == [6, 6]  # 100, 105, 106, 149, 150, 199
    picky.begin()
    assert lost(picky.measure(request(200.0))) == [5, 5]


def test_copies_are_wrong_frames_and_moved_ones_are_reordered() -> None:
    result = dut(duplicate=Picks(every=1000), move=Picks(every=100), move_places=3).measure(request(1e6))
    for count in result.directions:
        assert (count.wrong[0].kind, count.wrong[0].frames) == ("duplicate", 500)
        assert count.reordered_frames == 5000


def test_tagged_frames_are_delayed_moved_and_lost_with_the_others() -> None:
    result = dut(delay_ns=20_000, jitter_ns=1000, lose=Picks(every=20), move=Picks(every=100), move_places=4).measure(
        request(400.0, 10.0, tagged=True, tagged_rate_pps=100.0)
    )
    for latency, order in zip(result.latency, result.reordering, strict=True):
        # Of every second frame one: numbers 0, 2, ... of 2000; picked are odd numbers.
        assert (latency.count, order.sent, order.lost, order.reordered) == (1000, 1000, 0, 0)
        assert 20_333 <= latency.min_ns <= latency.max_ns <= 21_334
        assert latency.variation is not None
        assert latency.variation.count == 999
    odd = dut(capacity_pps=0, lose=Picks(frames=(10,)), move=Picks(frames=(20, 22)), move_places=4).measure(
        request(400.0, 1.0, tagged=True, tagged_rate_pps=100.0)
    )
    assert [(o.lost, o.reordered, o.extent_max) for o in odd.reordering] == [(1, 2, 3)] * 2  # 18, 24, 20, 26, 22, 28


def test_a_single_tagged_frame_comes_on_top_of_the_load() -> None:
    """As RFC 2544 section 26.2 has it: in the middle of the trial."""
    middle = {"tagged": True, "tagged_frames": 1, "tagged_after_s": 60.0}
    result = dut(delay_ns=5000).measure(request(1000.0, 120.0, **middle))
    assert [(d.intended_frames, d.sent_frames, d.received_frames) for d in result.directions] == [(60_001,) * 3] * 2
    assert [(latency.count, latency.variation) for latency in result.latency] == [(1, None)] * 2
    alone = dut(delay_ns=5000).measure(request(1000.0, 120.0, **middle, tagged_only=True))
    assert [d.sent_frames for d in alone.directions] == [1, 1]
    assert alone.latency[0].min_ns == 5000


def test_each_load_has_tagged_streams_of_its_own_and_all_frames_may_be_tagged() -> None:
    step = LoadStep(rate_pps=100.0, duration_s=1.0)
    result = dut().measure(request(400.0, 1.0, steps=(step,), tagged=True, tagged_only=True))
    assert [(o.tx_port, o.sent) for o in result.reordering] == [(0, 200), (1, 200), (0, 50), (1, 50)]


def test_the_wait_in_a_full_queue_is_latency() -> None:
    result = dut(queue_frames=300).measure(request(6e6, 1.0, tagged=True, tagged_rate_pps=10_000.0))
    found = merge(result.latency)
    assert found.value_us(50.0) == pytest.approx(100.0, rel=0.01)
    assert found.count == pytest.approx(10_000, rel=0.05)  # half of them


def test_the_generator_falls_short_of_what_it_cannot_send() -> None:
    weak = ComputedDut(Behaviour(), generator_pps=1e6)
    result = weak.measure(request(2e6))
    assert [(d.intended_frames, d.sent_frames) for d in result.directions] == [(1_000_000, 500_000)] * 2
    links = ComputedDut(Behaviour(), speed_gbps=1.0).measure(request(4e6))
    assert links.sent_frames == pytest.approx(2 * 1_488_095, abs=4)


def test_a_pause_loses_frames_and_is_named() -> None:
    result = ComputedDut(Behaviour(), pauses=Pauses(chance=1.0, length_s=0.01)).measure(request(1e6))
    assert lost(result) == [5000, 5000]
    assert result.disturbances[0].run_delay_ns == 10_000_000
    assert judge(result, ValidityLimits().telling_apart(0.0))
    assert not ComputedDut(Behaviour(), pauses=Pauses(1.0, 0.01, hurts_from_pps=2e6)).measure(request(1e6)).lost_frames


def test_the_same_seed_gives_the_same_trials_and_another_one_others() -> None:
    def trials(seed: int) -> list[TrialResult]:
        device = dut(noise_ratio=0.01, lose=Picks(ratio=1e-6), jitter_ns=100, seed=seed)
        return [device.measure(request(3e6, tagged=True)) for _ in range(3)]

    assert trials(3) == trials(3)
    assert [lost(one) for one in trials(3)] != [lost(one) for one in trials(4)]


@pytest.mark.parametrize(
    ("values", "loss_ratio", "truth_pps"),
    [
        ({"queue_frames": 1000}, 0.0, CAPACITY_PPS + 500),  # the queue takes 1000 frames in 2 s
        ({"queue_frames": 1000}, 0.005, (CAPACITY_PPS + 500) / 0.995),
        ({"slow_pps": 1e6, "slow_share": 0.99, "interval_ms": 2000.0, "queue_frames": 2}, 0.0, 1e6),
        ({"overloaded_pps": 1e6, "recovery_pps": 5e5, "queue_frames": 2}, 0.005, CAPACITY_PPS),
        ({"lose": Picks(ratio=1e-6), "capacity_pps": 0}, 0.0, 0.346574e6),  # ln 2 / 1e-6 frames in 2 s
    ],
)
def test_it_tells_the_greatest_load_that_meets_a_goal(
    values: dict[str, Any], loss_ratio: float, truth_pps: float
) -> None:
    tolerance = 0.2 if "lose" in values else 2e-5
    assert dut(**values).truth_pps(loss_ratio, 2.0) == pytest.approx(truth_pps, rel=tolerance)


def test_no_time_passes() -> None:
    """A trial of 1000 s and ten billion frames, with the server in it busy all the time."""
    begin_s = time.process_time()
    result = ComputedDut(Behaviour(capacity_pps=9e6)).measure(request(10e6, 1000.0))
    assert result.loss_ratio == pytest.approx(0.1, abs=1e-6)
    assert time.process_time() - begin_s < 10.0


def test_jitter_that_mixes_frames_is_refused() -> None:
    with pytest.raises(UsageError, match="ask for keeps_order"):
        dut(jitter_ns=100, keeps_order=False)
