"""The longest burst is found to the frame, and the buffer that it tells of."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.methods.back_to_back import BackToBackPlan, measure
from lab.methods.repeat import Conditions, TooDisturbed
from lab.methods.trial import DirectionCount, Disturbance, TrialRequest, TrialResult

RATE_PPS = 20e6  # of both directions
HURTS_FROM_FRAMES = 50_000  # a shorter burst finds room in the rings while the host pauses
PLAN = BackToBackPlan(
    frame_size_bytes=64,
    burst_rate_pps=RATE_PPS,
    line_rate_pps=29.76e6,
    repetitions=5,
    throughput_pps=15e6,
    max_burst_s=0.2,
)


class Queued:
    """A DUT that serves each direction at ``served_pps`` from a queue of ``depth`` frames and drops what finds no room.

    The frames of a burst come ``1 / rate`` apart and are served one by one: simulated frame by frame in closed form.
    ``varies`` frames of depth come and go by chance; ``stall`` is a pause in each trial that costs that many frames.
    """

    def __init__(self, depth: int, served_pps: float, *, varies: int = 0, stall: int = 0, seed: int = 0) -> None:
        self.depth = depth
        self.served_pps = served_pps
        self.varies = varies
        self.stall = stall
        self.random = random.Random(seed)
        self.requests: list[TrialRequest] = []

    def lost_frames(self, frames: int, rate_pps: float, depth: int) -> int:
        if self.served_pps >= rate_pps:
            return 0
        passed = frames * self.served_pps // rate_pps  # served by the time that the last frame comes
        return max(0, frames - int(passed) - depth)

    def longest(self, rate_pps: float, depth: int) -> int:
        """The truth, by trying lengths about where it must be."""
        about = int(depth / (1 - self.served_pps / rate_pps))
        return next(n for n in range(about + 5, 0, -1) if not self.lost_frames(n, rate_pps, depth))

    def measure(self, request: TrialRequest) -> TrialResult:
        assert request.burst_frames is not None
        self.requests.append(request)
        frames, depth = request.burst_frames, self.depth + self.random.randint(-self.varies, self.varies)
        lost = self.lost_frames(frames, request.rate_pps / 2, depth)
        lost = min(frames, lost + (self.stall if frames > HURTS_FROM_FRAMES else 0))
        pause_ns = int(2 * self.stall / request.rate_pps * 1e9)
        return TrialResult(
            request=request,
            started_at_s=0.0,
            duration_s=request.duration_s,
            directions=tuple(
                DirectionCount(
                    tx_port=tx,
                    rx_port=1 - tx,
                    intended_frames=frames,
                    sent_frames=frames,
                    received_frames=frames - (lost if tx == 0 else 0),
                )
                for tx in (0, 1)
            ),
            disturbances=(Disturbance(who="vCPU 1", core=1, run_delay_ns=pause_ns),) if self.stall else (),
        )


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 200_000), st.floats(0.01, 0.95))
def test_the_depth_is_exact_to_one_frame(depth: int, served: float) -> None:
    dut = Queued(depth, served * RATE_PPS / 2)
    truth = dut.longest(RATE_PPS / 2, depth)
    plan = PLAN.model_copy(update={"max_burst_s": 1.0, "throughput_pps": served * RATE_PPS})
    found = measure(dut, plan, Conditions())
    if truth >= 10_000_000:
        assert found.limit == "as long as was tried"
        return
    assert found.bursts_frames == (truth,) * 5
    assert (found.burst_frames, found.min_frames, found.max_frames, found.std_frames) == (truth, truth, truth, 0.0)
    assert found.buffer_frames == pytest.approx(depth, abs=2)
    assert found.limit == found.reason == ""
    assert all(r.rate_pps == RATE_PPS and not r.tagged for r in dut.requests)


def test_the_buffer_times_are_those_of_rfc_9004() -> None:
    found = measure(Queued(3000, 7.5e6), PLAN, Conditions())
    assert found.burst_frames == pytest.approx(12_000, abs=4)
    assert found.implied_buffer_s == pytest.approx(12_000 / 10e6, rel=1e-3)
    assert found.corrected_buffer_s == pytest.approx(12_000 / 10e6 * (1 - 15 / 20), rel=1e-3)


def test_later_searches_begin_at_the_last_result_and_save_trials() -> None:
    dut = Queued(3000, 7.5e6)
    found = measure(dut, PLAN.model_copy(update={"repetitions": 50}), Conditions())
    assert len(found.bursts_frames) == 50
    assert found.trials == len(dut.requests) < 30 + 49 * 3
    assert abs(found.trials - PLAN.model_copy(update={"repetitions": 50}).expected_trials) < 60


def test_each_repetition_finds_what_varies() -> None:
    found = measure(Queued(3000, 7.5e6, varies=100, seed=4), PLAN.model_copy(update={"repetitions": 30}), Conditions())
    assert len(set(found.bursts_frames)) > 5
    assert all(4 * 2890 <= frames <= 4 * 3110 for frames in found.bursts_frames)
    assert found.std_frames is not None
    assert found.std_frames > 10
    assert found.min_frames < found.burst_frames < found.max_frames


def test_the_step_is_kept() -> None:
    dut = Queued(3000, 7.5e6)
    found = measure(dut, PLAN.model_copy(update={"step_frames": 64}), Conditions())
    truth = dut.longest(10e6, 3000)
    assert all(truth - 64 <= frames <= truth for frames in found.bursts_frames)
    assert found.step_frames == 64


def test_a_dut_that_passes_the_longest_burst_has_no_limit() -> None:
    dut = Queued(10, 10e6)
    found = measure(dut, PLAN, Conditions())
    assert (found.limit, found.unlimited, found.burst_frames) == ("as long as was tried", 1, 2_000_000)
    assert (found.implied_buffer_s, found.corrected_buffer_s, found.buffer_frames) == (None, None, None)
    assert "no buffer overflowed" in found.reason
    assert len(dut.requests) == 2  # the longest burst and its confirmation


def test_without_a_throughput_the_time_is_not_corrected() -> None:
    found = measure(Queued(3000, 7.5e6), PLAN.model_copy(update={"throughput_pps": None}), Conditions())
    assert found.implied_buffer_s is not None
    assert found.corrected_buffer_s is None
    assert found.reason == "no throughput is known by which to correct the buffer time"


def test_a_host_that_is_never_quiet_lowers_the_burst_and_says_so() -> None:
    found = measure(Queued(30_000, 7.5e6, stall=900), PLAN, Conditions())
    assert found.in_doubt
    assert found.invalid_trials > 0
    assert found.bursts_frames == (HURTS_FROM_FRAMES,) * 5
    assert not measure(Queued(3000, 7.5e6), PLAN, Conditions()).in_doubt


def test_finding_no_burst_on_a_disturbed_host_is_refused() -> None:
    class Storm(Queued):
        def measure(self, request: TrialRequest) -> TrialResult:
            result = super().measure(request)
            one = result.directions[0]
            bad = one.model_copy(update={"received_frames": one.sent_frames - 1})
            pause = Disturbance(who="vCPU 1", core=1, run_delay_ns=60_000)
            return result.model_copy(update={"directions": (bad,), "disturbances": (pause,)})

    with pytest.raises(TooDisturbed, match=r"back-to-back"):
        measure(Storm(3000, 7.5e6), PLAN, Conditions())


def test_a_dut_that_loses_every_burst_has_none() -> None:
    class Lossy(Queued):
        def lost_frames(self, frames: int, rate_pps: float, depth: int) -> int:
            return 1

    found = measure(Lossy(0, 1e6), PLAN, Conditions())
    assert set(found.bursts_frames) == {0}
    assert found.buffer_frames == 0.0
