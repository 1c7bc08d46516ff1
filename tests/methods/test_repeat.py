"""Invalid trials are repeated, counted and told of; never results."""

import pytest

from lab.dut.computed import ComputedDut, Pauses
from lab.errors import DutError, GeneratorError, ImageMismatch, LabError, WrongFramesReceived
from lab.methods.load_limit import load_limit, offerable
from lab.methods.repeat import Conditions, TooDisturbed, TrialEvent, Trials
from lab.methods.trial import TrialRequest, TrialResult, WrongFrames
from lab.testbed.behaviour import Behaviour

REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=1e6, duration_s=1.0, tagged=False)


def test_an_invalid_trial_is_repeated_until_one_counts() -> None:
    told: list[TrialEvent] = []
    dut = ComputedDut(Behaviour(capacity_pps=2e6, seed=3), pauses=Pauses(chance=0.7, length_s=0.01))
    trials = Trials(dut, Conditions(attempts=50, progress=told.append), "test", loss_ratios=(0.0,))
    result = trials.measure(REQUEST)
    assert result.invalid == ()
    assert result.lost_frames == 0
    assert trials.invalid_count == len(dut.requests) - 1 > 0
    assert [e.result for e in told] == trials.results
    assert [e.number for e in told] == list(range(1, len(told) + 1))


def test_a_trial_that_never_counts_ends_with_the_reason() -> None:
    dut = ComputedDut(Behaviour(capacity_pps=2e6), generator_pps=9e5)
    with pytest.raises(
        TooDisturbed, match="64 bytes, 1000000 pps: none of 4 attempts was valid; the last: port 0 to 1"
    ):
        Trials(dut, Conditions(attempts=4), "test").measure(REQUEST)
    assert len(dut.requests) == 4


def test_where_every_attempt_is_in_doubt_the_load_is_taken_as_lossy_and_says_so() -> None:
    dut = ComputedDut(Behaviour(capacity_pps=2e6), pauses=Pauses(chance=1.0, length_s=0.01))
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
    dut = ComputedDut(Behaviour(capacity_pps=2e6), generator_pps=9e5, pauses=Pauses(chance=1.0, length_s=0.01))
    with pytest.raises(TooDisturbed, match="short of"):
        Trials(dut, Conditions(attempts=4), "test", loss_ratios=(0.0,)).measure(REQUEST)


def test_a_host_that_is_hardly_there_is_no_doubt_but_an_end() -> None:
    dut = ComputedDut(Behaviour(capacity_pps=2e6), pauses=Pauses(chance=1.0, length_s=0.4))
    with pytest.raises(TooDisturbed, match=r"none of 5 attempts was valid; .*waited for its core 400\.00 ms"):
        Trials(dut, Conditions(), "test", loss_ratios=(0.0,)).measure(REQUEST)
    assert len(dut.requests) == 5


def test_finding_nothing_on_a_disturbed_host_is_refused() -> None:
    trials = Trials(ComputedDut(Behaviour(capacity_pps=2e6)), Conditions(), "test", loss_ratios=(0.0,))
    trials.refuse_nothing(0.0, None)  # nothing was in doubt: the DUT lost the frames itself
    stormy = Trials(
        ComputedDut(Behaviour(capacity_pps=2e6), pauses=Pauses(chance=1.0, length_s=0.01)),
        Conditions(),
        "test",
        loss_ratios=(0.0,),
    )
    stormy.measure(REQUEST)
    stormy.refuse_nothing(0.0, 5e5)
    with pytest.raises(TooDisturbed, match="from 1000000 pps on pauses of the test host explain the loss"):
        stormy.refuse_nothing(0.0, None)


class Failing(ComputedDut):
    """Fails in the trials with these numbers, from 0 on."""

    def __init__(self, error: LabError, *numbers: int, capacity_pps: float = 2e6) -> None:
        super().__init__(Behaviour(capacity_pps=capacity_pps))
        self.error, self.numbers = error, numbers

    def measure(self, request: TrialRequest) -> TrialResult:
        result = super().measure(request)
        if len(self.requests) - 1 in self.numbers:
            raise self.error
        return result


def test_a_generator_that_fails_ends_the_method_where_nothing_brings_it_back() -> None:
    told: list[TrialEvent] = []
    failing = Failing(GeneratorError("gone"), 0)
    with pytest.raises(GeneratorError, match="gone"):
        Trials(failing, Conditions(progress=told.append), "test").measure(REQUEST)
    assert len(failing.requests) == len(told) == 1
    assert told[0].result.invalid == ("the generator failed: gone",)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (GeneratorError("vtrex ended"), "the generator failed: vtrex ended"),
        (DutError("it rebooted"), "the DUT failed: it rebooted"),
    ],
)
def test_what_fails_once_costs_an_invalid_trial_and_no_more(error: LabError, reason: str) -> None:
    told: list[TrialEvent] = []
    failing = Failing(error, 0, 2)
    conditions = Conditions(progress=told.append, recover=lambda: told_when_recovered.append(len(told)))
    told_when_recovered: list[int] = []
    trials = Trials(failing, conditions, "test", loss_ratios=(0.0,))
    for _ in range(2):
        result = trials.measure(REQUEST)
        assert (result.invalid, result.lost_frames) == ((), 0)
    assert told_when_recovered == [1, 3]  # it is in the journal before anything is done about it
    assert [event.result.invalid for event in told] == [(reason,), (), (reason,), ()]
    assert all(event.result.sent_frames == 0 for event in told[::2])
    assert trials.invalid_count == 2


def test_what_fails_again_at_once_ends_the_method() -> None:
    told: list[TrialEvent] = []
    failing = Failing(GeneratorError("gone"), 0, 1)
    with pytest.raises(GeneratorError, match="gone"):
        Trials(failing, Conditions(progress=told.append, recover=lambda: None), "test").measure(REQUEST)
    assert len(failing.requests) == len(told) == 2


def test_another_image_than_the_one_asked_for_is_no_failure_to_live_with() -> None:
    failing = Failing(ImageMismatch("another"), 0)
    with pytest.raises(ImageMismatch):
        Trials(failing, Conditions(recover=lambda: None), "test").measure(REQUEST)


def test_a_failure_tells_nothing_of_what_can_be_offered() -> None:
    limit = load_limit(64, 10.0, 2, 3e6)
    undisturbed = offerable(ComputedDut(Behaviour(capacity_pps=2.5e6)), limit, 64, Conditions(), duration_s=1.0)
    failing = Failing(GeneratorError("gone"), 0, capacity_pps=2.5e6)
    conditions = Conditions(recover=lambda: None)
    assert offerable(failing, limit, 64, conditions, duration_s=1.0) == undisturbed


def test_the_estimate_counts_down_and_is_never_negative() -> None:
    told: list[TrialEvent] = []
    conditions = Conditions(overhead_s=0.5, progress=told.append)
    trials = Trials(ComputedDut(Behaviour(capacity_pps=2e6)), conditions, "test", expected_s=4.0)
    for _ in range(3):
        trials.measure(REQUEST)
    assert [e.remaining_s for e in told] == [2.5, 1.0, 0.0]


class Wronging(ComputedDut):
    """Loses nothing, and sends frames that are not the ones it was sent."""

    def measure(self, request: TrialRequest) -> TrialResult:
        result = super().measure(request)
        wrong = WrongFrames(kind="stale", frames=3, port=1, reason="", first_hex="0102")
        bad = result.directions[0].model_copy(update={"wrong": (wrong,)})
        return result.model_copy(update={"directions": (bad, *result.directions[1:])})


def test_wrong_frames_end_the_measurement_at_once_after_it_was_told_of() -> None:
    told: list[TrialEvent] = []
    dut = Wronging(Behaviour(capacity_pps=2e6))
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
        offerable(Wronging(Behaviour(capacity_pps=2e6)), limit, 64, Conditions(), duration_s=1.0)
