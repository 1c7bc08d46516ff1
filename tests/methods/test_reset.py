"""The reset time is the model's by either way of RFC 6201; what cannot be told is no number."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import DutError
from lab.methods import meanwhile
from lab.methods.repeat import Conditions, TooDisturbed
from lab.methods.reset import ResetPlan, measure
from lab.methods.trial import DirectionCount, Disturbance, LossTimes, Measurer, TrialRequest, TrialResult

RATE_PPS = 2e4
PLAN = ResetPlan(kind="power", frame_size_bytes=64, rate_pps=RATE_PPS, trial_duration_s=10.0, reset_after_s=2.0)


class Resettable:
    """Forwards everything but what is sent in the ``down_s`` seconds after a reset; direction 1 to 0 comes back later.

    The frames of a direction are sent ``2 / RATE_PPS`` apart, and lost by their numbers.
    """

    def __init__(self, down_s: float, *, times: bool = True, timed_share: float = 1.0, shortfall: float = 0.0) -> None:
        self.down_s = down_s
        self.times = times
        self.timed_share = timed_share
        self.shortfall = shortfall
        self.reset_at_s: float | None = None
        self.kinds: list[str] = []

    def measure(self, request: TrialRequest) -> TrialResult:
        sent = round(request.rate_pps / 2 * request.duration_s)
        frame_s = request.duration_s / sent
        lost = [self._lost(sent, frame_s, self.down_s + 0.25 * tx) for tx in (0, 1)]
        self.reset_at_s = None
        return TrialResult(
            request=request,
            started_at_s=0.0,
            duration_s=request.duration_s,
            directions=tuple(
                DirectionCount(
                    tx_port=tx,
                    rx_port=1 - tx,
                    intended_frames=round(sent * (1 + self.shortfall)),
                    sent_frames=sent,
                    received_frames=sent - len(lost[tx]),
                )
                for tx in (0, 1)
            ),
            loss_times=tuple(self._times(tx, lost[tx], frame_s) for tx in (0, 1)) if self.times else (),
            disturbances=(Disturbance(who="vCPU 1", core=1, run_delay_ns=4_000_000_000),),
            invalid=("the link of port 0 went down during the trial",),
        )

    def _lost(self, sent: int, frame_s: float, down_s: float) -> list[int]:
        if self.reset_at_s is None:
            return []
        return [n for n in range(sent) if self.reset_at_s <= n * frame_s < self.reset_at_s + down_s]

    def _times(self, tx: int, lost: list[int], frame_s: float) -> LossTimes:
        timed = int(len(lost) * self.timed_share)
        return LossTimes(
            step=0,
            tx_port=tx,
            rx_port=1 - tx,
            frame_time_s=frame_s,
            lost_frames=timed,
            first_lost_at_s=lost[0] * frame_s if timed else None,
            last_lost_at_s=lost[-1] * frame_s if timed else None,
            longest_at_s=lost[0] * frame_s if timed else None,
            longest_frames=timed,
            exact=True,
            source="model",
        )

    def reset(self, kind: str) -> None:
        self.kinds.append(kind)
        self.reset_at_s = PLAN.reset_after_s


class AtOnce:
    """Has the action done before the trial, as a model that computes its trials takes it."""

    def __init__(self, measurer: Measurer, action: Callable[[], object], after_s: float) -> None:
        self.problem = ""
        self.measurer, self.action, self.after_s = measurer, action, after_s

    def measure(self, request: TrialRequest) -> TrialResult:
        self.action()
        return self.measurer.measure(request).model_copy(update={"invalid": ()})


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 7.0))
def test_either_way_gives_the_time_to_one_frame(down_s: float) -> None:
    dut = Resettable(down_s)
    found = measure(dut, dut.reset, PLAN, Conditions(), AtOnce)
    (one,) = found.repetitions
    assert found.by_loss_s is not None
    assert found.by_time_s is not None
    assert one.frame_time_s == pytest.approx(2 / RATE_PPS)
    assert abs(found.by_loss_s - down_s - 0.25) <= one.frame_time_s * 1.001  # the direction that was down longest
    assert abs(found.by_time_s - down_s - 0.25) <= one.frame_time_s * 1.001
    assert (one.source, one.exact, found.reason, found.invalid_trials) == ("model", True, "", 0)
    assert found.uncertain_s == 0.0


def test_the_dut_is_reset_once_a_trial_in_the_way_of_the_plan() -> None:
    dut = Resettable(1.0)
    found = measure(dut, dut.reset, PLAN.model_copy(update={"repetitions": 3}), Conditions(), AtOnce)
    assert dut.kinds == ["power"] * 3
    assert len(found.repetitions) == found.trials == 3


class LosesOneMore(Resettable):
    """A pause of the host costs the last frame of each direction."""

    def _lost(self, sent: int, frame_s: float, down_s: float) -> list[int]:
        return [*super()._lost(sent, frame_s, down_s), sent - 1]

    def _times(self, tx: int, lost: list[int], frame_s: float) -> LossTimes:
        return super()._times(tx, lost, frame_s).model_copy(update={"longest_frames": len(lost) - 1})


def test_a_frame_that_is_lost_much_later_is_not_the_resets() -> None:
    dut = LosesOneMore(1.0)
    found = measure(dut, dut.reset, PLAN, Conditions(), AtOnce)
    assert found.by_time_s == pytest.approx(1.25, abs=2 / RATE_PPS)


def test_a_reset_that_outlasts_the_trial_has_no_time() -> None:
    for dut in (Resettable(7.5), Resettable(7.5, times=False)):
        found = measure(dut, dut.reset, PLAN, Conditions(), AtOnce)
        assert (found.by_loss_s, found.by_time_s) == (None, None)
        assert found.reason == "frames were still lost at the end of 10 s: plan a longer trial"


@pytest.mark.parametrize("dut", [Resettable(3.0, times=False), Resettable(3.0, timed_share=0.5)])
def test_without_the_times_of_all_lost_frames_only_their_number_counts(dut: Resettable) -> None:
    found = measure(dut, dut.reset, PLAN, Conditions(), AtOnce)
    assert found.by_loss_s == pytest.approx(3.25, abs=2e-4)
    assert found.by_time_s is None
    assert (found.repetitions[0].source, found.repetitions[0].exact) == ("lost frames / rate", False)


def test_a_reset_that_nobody_noticed_takes_no_time() -> None:
    found = measure(Resettable(1.0), lambda _kind: None, PLAN, Conditions(), AtOnce)
    assert (found.by_loss_s, found.by_time_s, found.repetitions[0].lost_frames) == (0.0, 0.0, 0)


def test_a_reset_is_no_excuse_for_the_generator() -> None:
    dut = Resettable(1.0, shortfall=0.1)
    with pytest.raises(TooDisturbed, match=r"reset \(power\) at 64 bytes, .* short of"):
        measure(dut, dut.reset, PLAN, Conditions(attempts=2), AtOnce)


def test_frames_that_the_generator_was_too_late_for_make_the_time_uncertain() -> None:
    dut = Resettable(3.0, shortfall=0.02)
    found = measure(dut, dut.reset, PLAN, Conditions(), AtOnce)
    assert found.by_loss_s is not None
    assert found.uncertain_s == pytest.approx(10.0 * 0.02 / 1.02, rel=1e-3)
    assert found.by_loss_s <= 3.25 <= found.by_loss_s + found.uncertain_s
    assert found.by_time_s == pytest.approx(3.25, abs=2e-4)  # the first and the last lost frame were due so far apart


def test_frames_lost_apart_are_no_part_of_the_longest_run() -> None:
    class Again(Resettable):
        def _lost(self, sent: int, frame_s: float, down_s: float) -> list[int]:
            return [*super()._lost(sent, frame_s, down_s), round(8 / frame_s)]

        def _times(self, tx: int, lost: list[int], frame_s: float) -> LossTimes:
            return super()._times(tx, lost, frame_s).model_copy(update={"longest_frames": len(lost) - 1})

    dut = Again(3.0)
    found = measure(dut, dut.reset, PLAN, Conditions(), AtOnce)
    assert found.by_time_s == pytest.approx(3.25, abs=2e-4)
    assert found.by_loss_s == pytest.approx(3.25 + 1e-4, abs=2e-4)


def test_a_trial_that_ends_before_its_reset_gives_no_number() -> None:
    dut = Resettable(1.0)
    found = measure(dut, dut.reset, PLAN, Conditions())
    assert (found.by_loss_s, found.by_time_s, dut.kinds) == (None, None, [])
    assert found.reason == "the trial ended before the action began"


def test_a_reset_that_fails_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meanwhile, "LEAD_S", 0.0)

    def fail(kind: str) -> None:
        raise DutError(f"no {kind} switch")

    class Slow(Resettable):
        def measure(self, request: TrialRequest) -> TrialResult:
            threading.Event().wait(0.2)
            return super().measure(request)

    with pytest.raises(DutError, match="no power switch"):
        measure(Slow(1.0), fail, PLAN.model_copy(update={"reset_after_s": 0.0}), Conditions())
