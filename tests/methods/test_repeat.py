"""Invalid trials are repeated, counted and told of; never results."""

import pytest

from lab.errors import GeneratorError, WrongFramesReceived
from lab.methods.load_limit import load_limit, offerable
from lab.methods.repeat import Conditions, TooDisturbed, TrialEvent, Trials
from lab.methods.trial import TrialRequest, TrialResult, WrongFrames

from .model_dut import ModelDut

REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=1e6, duration_s=1.0, tagged=False)


def test_an_invalid_trial_is_repeated_until_one_counts() -> None:
    told: list[TrialEvent] = []
    dut = ModelDut(capacity_pps=2e6, stall_chance=0.7, stall_s=0.01, seed=3)
    trials = Trials(dut, Conditions(attempts=50, progress=told.append), "test", loss_ratios=(0.0,))
    result = trials.measure(REQUEST)
    assert result.invalid == ()
    assert result.lost_frames == 0
    assert trials.invalid_count == len(dut.requests) - 1 > 0
    assert [e.result for e in told] == trials.results
    assert [e.number for e in told] == list(range(1, len(told) + 1))


def test_a_trial_that_never_counts_ends_with_the_reason() -> None:
    dut = ModelDut(capacity_pps=2e6, generator_pps=9e5)
    with pytest.raises(
        TooDisturbed, match="64 bytes, 1000000 pps: none of 4 attempts was valid; the last: port 0 to 1"
    ):
        Trials(dut, Conditions(attempts=4), "test").measure(REQUEST)
    assert len(dut.requests) == 4


def test_where_every_attempt_is_in_doubt_the_load_is_taken_as_lossy_and_says_so() -> None:
    dut = ModelDut(capacity_pps=2e6, stall_chance=1.0, stall_s=0.01)
    trials = Trials(dut, Conditions(attempts=4), "test", loss_ratios=(0.0, 0.005))
    result = trials.measure(REQUEST)
    assert result.loss_ratio == pytest.approx(0.01)
    assert (len(dut.requests), trials.invalid_count) == (4, 4)
    assert trials.in_doubt(0.0, 1e6)
    assert trials.in_doubt(0.005, 1e6)
    assert not trials.in_doubt(0.0, 0.99e6)
    assert not trials.in_doubt(0.0, None)
    trials.measure(REQUEST.model_copy(update={"rate_pps": 1.1e6}))
    assert len(dut.requests) == 5  # above a load in doubt nothing is to be gained by repeating
    trials.measure(REQUEST.model_copy(update={"rate_pps": 0.9e6}))
    assert len(dut.requests) == 9


def test_a_fault_besides_the_doubt_is_no_result() -> None:
    dut = ModelDut(capacity_pps=2e6, generator_pps=9e5, stall_chance=1.0, stall_s=0.01)
    with pytest.raises(TooDisturbed, match="short of"):
        Trials(dut, Conditions(attempts=4), "test", loss_ratios=(0.0,)).measure(REQUEST)


def test_a_host_that_is_hardly_there_is_no_doubt_but_an_end() -> None:
    dut = ModelDut(capacity_pps=2e6, stall_chance=1.0, stall_s=0.4)
    with pytest.raises(TooDisturbed, match=r"none of 5 attempts was valid; .*waited for its core 400\.00 ms"):
        Trials(dut, Conditions(), "test", loss_ratios=(0.0,)).measure(REQUEST)
    assert len(dut.requests) == 5


def test_finding_nothing_on_a_disturbed_host_is_refused() -> None:
    trials = Trials(ModelDut(capacity_pps=2e6), Conditions(), "test", loss_ratios=(0.0,))
    trials.refuse_nothing(0.0, None)  # nothing was in doubt: the DUT lost the frames itself
    stormy = Trials(
        ModelDut(capacity_pps=2e6, stall_chance=1.0, stall_s=0.01), Conditions(), "test", loss_ratios=(0.0,)
    )
    stormy.measure(REQUEST)
    stormy.refuse_nothing(0.0, 5e5)
    with pytest.raises(TooDisturbed, match="from 1000000 pps on pauses of the test host explain the loss"):
        stormy.refuse_nothing(0.0, None)


def test_a_generator_that_fails_is_no_result_and_not_tried_again() -> None:
    class Broken:
        calls = 0

        def measure(self, request: TrialRequest) -> TrialResult:
            self.calls += 1
            raise GeneratorError("gone")

    broken = Broken()
    trials = Trials(broken, Conditions(), "test")
    with pytest.raises(GeneratorError):
        trials.measure(REQUEST)
    assert broken.calls == 1
    assert trials.results == []


def test_the_estimate_counts_down_and_is_never_negative() -> None:
    told: list[TrialEvent] = []
    conditions = Conditions(overhead_s=0.5, progress=told.append)
    trials = Trials(ModelDut(capacity_pps=2e6), conditions, "test", expected_s=4.0)
    for _ in range(3):
        trials.measure(REQUEST)
    assert [e.remaining_s for e in told] == [2.5, 1.0, 0.0]


class Wronging(ModelDut):
    """Loses nothing, and sends frames that are not the ones it was sent."""

    def measure(self, request: TrialRequest) -> TrialResult:
        result = super().measure(request)
        wrong = WrongFrames(kind="stale", frames=3, port=1, reason="", first_hex="0102")
        bad = result.directions[0].model_copy(update={"wrong": (wrong,)})
        return result.model_copy(update={"directions": (bad, *result.directions[1:])})


def test_wrong_frames_end_the_measurement_at_once_after_it_was_told_of() -> None:
    told: list[TrialEvent] = []
    dut = Wronging(capacity_pps=2e6)
    with pytest.raises(
        WrongFramesReceived,
        match=r"test at 64 bytes, 1000000 pps, port 0 to 1: 3 frames of an earlier trial; the first, at port 1: 0102$",
    ) as failure:
        Trials(dut, Conditions(progress=told.append), "test").measure(REQUEST)
    assert failure.value.exit_code == 22
    assert len(dut.requests) == len(told) == 1


def test_wrong_frames_end_the_search_for_the_greatest_load_that_can_be_offered() -> None:
    limit = load_limit(64, 10.0, 2, None)
    with pytest.raises(WrongFramesReceived, match="offerable at 64 bytes"):
        offerable(Wronging(capacity_pps=2e6), limit, 64, Conditions(), duration_s=1.0)
