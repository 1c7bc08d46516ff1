"""The recovery time is the model's, to one frame time; what cannot be told is no number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.methods.recovery import RecoveryPlan, measure
from lab.methods.repeat import Conditions, TooDisturbed
from lab.methods.trial import (
    DirectionCount,
    Disturbance,
    LossTimes,
    StepCount,
    TrialRequest,
    TrialResult,
)

PLAN = RecoveryPlan(
    frame_size_bytes=64,
    throughput_pps=1e5,
    max_rate_pps=2e5,
    limited_by="line rate",
    overload_s=2.0,
    relief_s=2.0,
    repetitions=3,
)


class Recovering:
    """Bears ``capacity_pps``; after an overload direction 0 to 1 loses every frame until ``recovers_s`` have passed.

    ``times`` of loss may be wanting, or not cover all of them; ``paused`` says in which trials the host paused,
    counted from 0, and a pause loses the frame at ``pause_at_s`` after the change as well.
    """

    def __init__(
        self,
        recovers_s: float,
        *,
        capacity_pps: float = 1e5,
        times: bool = True,
        steps: bool = True,
        paused: range = range(0),
        falls_short: bool = False,
    ) -> None:
        self.recovers_s = recovers_s
        self.capacity_pps = capacity_pps
        self.times = times
        self.steps = steps
        self.paused = paused
        self.falls_short = falls_short
        self.requests: list[TrialRequest] = []

    def measure(self, request: TrialRequest) -> TrialResult:
        paused = len(self.requests) in self.paused
        self.requests.append(request)
        counts, times = [], []
        for step, load in enumerate(request.loads):
            sent = round(load.rate_pps / 2 * load.duration_s)
            frame_s = load.duration_s / sent
            for tx in (0, 1):
                lost = max(0, sent - math.floor(self.capacity_pps / 2 * load.duration_s))
                numbers = list(range(lost))
                if step == 1 and tx == 0:
                    numbers = [n for n in range(sent) if n * frame_s < self.recovers_s]
                    numbers += [round(1.5 / frame_s)] if paused and self.recovers_s < 1.5 else []
                counts.append(
                    StepCount(
                        step=step, tx_port=tx, rx_port=1 - tx, sent_frames=sent, received_frames=sent - len(numbers)
                    )
                )
                times.append(
                    LossTimes(
                        step=step,
                        tx_port=tx,
                        rx_port=1 - tx,
                        frame_time_s=frame_s,
                        lost_frames=len(numbers),
                        first_lost_at_s=numbers[0] * frame_s if numbers else None,
                        last_lost_at_s=numbers[-1] * frame_s if numbers else None,
                        longest_at_s=0.0 if numbers else None,
                        longest_frames=len(numbers),
                        exact=True,
                        source="model",
                    )
                )
        return TrialResult(
            request=request,
            started_at_s=0.0,
            duration_s=request.total_s,
            directions=tuple(self._direction(counts, tx) for tx in (0, 1)),
            steps=tuple(counts) if self.steps else (),
            loss_times=tuple(times) if self.times else (),
            disturbances=(Disturbance(who="vCPU 1", core=1, run_delay_ns=10_000_000),) if paused else (),
        )

    def _direction(self, counts: list[StepCount], tx: int) -> DirectionCount:
        sent = sum(c.sent_frames for c in counts if c.tx_port == tx)
        return DirectionCount(
            tx_port=tx,
            rx_port=1 - tx,
            intended_frames=2 * sent if self.falls_short else sent,
            sent_frames=sent,
            received_frames=sum(c.received_frames for c in counts if c.tx_port == tx),
        )


@settings(max_examples=100, deadline=None)
@given(st.floats(0.0, 1.79))
def test_the_time_is_exact_to_one_frame(recovers_s: float) -> None:
    found = measure(Recovering(recovers_s), PLAN.model_copy(update={"repetitions": 1}), Conditions())
    (one,) = found.repetitions
    assert found.recovery_s is not None
    assert one.frame_time_s == pytest.approx(1 / 27_500)
    assert abs(found.recovery_s - recovers_s) <= one.frame_time_s * 1.001
    assert (one.exact, one.source, found.in_doubt, found.reason) == (True, "model", 0, "")


def test_the_loads_are_those_of_the_rfc() -> None:
    dut = Recovering(0.5)
    found = measure(dut, PLAN, Conditions())
    for request in dut.requests:
        assert request.rate_pps == pytest.approx(1.1e5)
        assert request.steps[0].rate_pps == pytest.approx(0.55e5)
        assert (request.duration_s, request.steps[0].duration_s, request.tagged) == (2.0, 2.0, False)
    assert found.overload_percent == pytest.approx(110)
    assert found.limited_by == ""
    assert found.repetitions[0].overload_loss_ratio == pytest.approx(0.1 / 1.1, rel=1e-3)
    assert (found.trials, len(found.repetitions)) == (3, 3)
    assert found.min_s == found.max_s == pytest.approx(0.5, abs=1e-4)


def test_a_dut_that_recovers_at_once_takes_no_time() -> None:
    found = measure(Recovering(0.0), PLAN, Conditions())
    assert found.recovery_s == 0.0
    assert found.repetitions[0].lost_frames == 0


def test_an_overload_that_the_generator_limits_is_named() -> None:
    found = measure(Recovering(0.5), PLAN.model_copy(update={"max_rate_pps": 1.05e5}), Conditions())
    assert found.overload_percent == pytest.approx(105)
    assert found.limited_by == "line rate"
    assert found.recovery_s == pytest.approx(0.5, abs=1e-4)


def test_where_nothing_is_above_the_throughput_there_is_no_number() -> None:
    dut = Recovering(0.5)
    found = measure(dut, PLAN.model_copy(update={"max_rate_pps": 1e5}), Conditions())
    assert (found.recovery_s, found.trials, dut.requests) == (None, 0, [])
    assert found.reason == (
        "no overload is possible: the greatest load is 100000 pps (line rate), and the throughput 100000 pps"
    )


def test_a_dut_that_bears_the_overload_has_no_recovery() -> None:
    found = measure(Recovering(0.5, capacity_pps=1e6), PLAN, Conditions())
    assert found.recovery_s is None
    assert found.reason == "the DUT lost nothing before the load fell: it was not overloaded"
    assert (found.overload_pps, found.limited_by) == (2e5, "line rate")


def test_a_dut_whose_throughput_was_found_too_low_is_overloaded_by_the_greatest_load() -> None:
    """Throughput was found as 100,000; it is 150,000: 110 % of the first overload nothing."""
    dut = Recovering(0.5, capacity_pps=1.5e5)
    found = measure(dut, PLAN, Conditions())
    assert [request.rate_pps for request in dut.requests] == pytest.approx([1.1e5, 2e5, 2e5, 2e5])
    assert found.recovery_s == pytest.approx(0.5, abs=2e-5)
    assert (found.overload_percent, found.limited_by, len(found.repetitions)) == (200.0, "", 3)


def test_a_dut_that_does_not_recover_has_no_recovery_time() -> None:
    found = measure(Recovering(1.9), PLAN, Conditions())
    assert (found.recovery_s, found.min_s, found.max_s) == (None, None, None)
    assert found.reason == "frames were still lost 2 s after the overload: plan a longer time after it"


def test_without_times_of_loss_the_time_is_a_quotient_and_says_so() -> None:
    found = measure(Recovering(0.5, times=False), PLAN, Conditions())
    assert found.recovery_s == pytest.approx(0.5, abs=1e-4)
    assert [(one.source, one.exact) for one in found.repetitions] == [("lost frames / rate", False)] * 3


def test_a_generator_that_does_not_count_the_loads_gives_no_number() -> None:
    found = measure(Recovering(0.5, steps=False, times=False), PLAN, Conditions())
    assert found.recovery_s is None
    assert found.reason == "the generator does not tell under which load frames were lost"


def test_a_pause_that_may_have_lost_the_last_frame_is_tried_again() -> None:
    found = measure(Recovering(0.5, paused=range(2)), PLAN, Conditions())
    assert found.recovery_s == pytest.approx(0.5, abs=1e-4)
    assert (found.in_doubt, found.trials) == (0, 5)


def test_a_host_that_always_pauses_lengthens_the_time_and_says_so() -> None:
    found = measure(Recovering(0.5, paused=range(99)), PLAN, Conditions())
    assert found.recovery_s == pytest.approx(1.5, abs=1e-3)
    assert found.in_doubt == 3
    assert found.trials == Conditions().attempts + 2  # once it is known that the host pauses nothing is tried again


def test_a_generator_that_falls_short_gives_no_number() -> None:
    with pytest.raises(TooDisturbed, match=r"system recovery at 64 bytes, .* short of"):
        measure(Recovering(0.5, falls_short=True), PLAN, Conditions())
