"""Something is done while a trial runs, and neither earlier nor later."""

from __future__ import annotations

import threading

import pytest

from lab.dut.computed import ComputedDut
from lab.methods import meanwhile
from lab.methods.meanwhile import Meanwhile, Once
from lab.methods.trial import TrialRequest, TrialResult
from lab.testbed.behaviour import Behaviour

REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=1000.0, duration_s=1.0)


class Waiting:
    """A measurer whose trial lasts until something has been done often enough."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.reached = threading.Event()
        self.done: list[bool] = []
        self.running = False

    def act(self) -> None:
        self.done.append(self.running)
        if len(self.done) == self.times:
            self.reached.set()

    def measure(self, request: TrialRequest) -> TrialResult:
        self.running = True
        assert self.reached.wait(20.0)
        self.running = False
        return ComputedDut(Behaviour(capacity_pps=1e6)).measure(request)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meanwhile, "LEAD_S", 0.05)


def test_the_action_is_repeated_while_the_trial_runs() -> None:
    waiting = Waiting(times=5)
    measurer = Meanwhile(waiting, waiting.act, 0.0)
    result = measurer.measure(REQUEST)
    assert result.request == REQUEST
    assert all(waiting.done[:5])
    assert measurer.done == len(waiting.done)


def test_a_trial_that_is_over_at_once_sees_nothing_done() -> None:
    waiting = Waiting(times=1)
    meanwhile.LEAD_S = 60.0
    measurer = Meanwhile(ComputedDut(Behaviour(capacity_pps=1e6)), waiting.act, 0.0)
    measurer.measure(REQUEST)
    assert (measurer.done, waiting.done) == (0, [])


def test_what_the_action_raises_is_raised() -> None:
    waiting = Waiting(times=1)

    def fail() -> None:
        waiting.act()
        raise RuntimeError("the DUT refused")

    with pytest.raises(RuntimeError, match="the DUT refused"):
        Meanwhile(waiting, fail, 0.0).measure(REQUEST)


def test_once_is_once_and_while_the_trial_runs() -> None:
    waiting = Waiting(times=1)
    measurer = Once(waiting, waiting.act, 0.001)
    for count in (1, 2):
        waiting.reached.clear()
        waiting.times = count
        assert measurer.measure(REQUEST).request == REQUEST
        assert waiting.done == [True] * count
        assert measurer.problem in ("", "the trial ended before the action did")


def test_an_action_that_outlasts_the_trial_is_waited_for_and_told_of() -> None:
    waiting = Waiting(times=1)
    ended = threading.Event()

    def act() -> None:
        waiting.act()
        while waiting.running:
            ended.wait(0.001)
        ended.wait(0.05)
        ended.set()

    measurer = Once(waiting, act, 0.0)
    measurer.measure(REQUEST)
    assert ended.is_set()
    assert measurer.problem == "the trial ended before the action did"


def test_a_trial_that_is_over_before_the_action_says_so() -> None:
    waiting = Waiting(times=1)
    measurer = Once(ComputedDut(Behaviour(capacity_pps=1e6)), waiting.act, 60.0)
    measurer.measure(REQUEST)
    assert (measurer.problem, waiting.done) == ("the trial ended before the action began", [])
