"""The DUT is asked before and after a trial, until it is at rest; a restart is seen, and mended before the next."""

from __future__ import annotations

import pytest

from lab.dut import counted
from lab.dut.counted import Counted
from lab.errors import DutError
from lab.methods.trial import DirectionCount, TrialRequest, TrialResult
from lab.methods.validity import ValidityLimits, judge
from lab.metrics.hops import PortTally, Tally

REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=100.0, duration_s=1.0)


class Sending:
    """Sends 100 frames, of which 90 come back."""

    def measure(self, request: TrialRequest) -> TrialResult:
        count = DirectionCount(tx_port=0, rx_port=1, intended_frames=100, sent_frames=100, received_frames=90)
        return TrialResult(request=request, started_at_s=0.0, duration_s=request.duration_s, directions=(count,))


class Telling:
    """Tells one tally after the other, the last one for ever; an error is raised."""

    def __init__(self, *tallies: Tally | DutError) -> None:
        self.left = list(tallies)
        self.asked = self.restored = 0

    def tally(self) -> Tally:
        self.asked += 1
        now = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if isinstance(now, DutError):
            raise now
        return now

    def restore(self) -> None:
        self.restored += 1


def told(received: int, sent: int, dropped: int = 0, boot: str = "1", held: int = 0) -> Tally:
    return Tally(
        boot=boot,
        complete=True,
        held=held,
        ports=(
            PortTally(port=0, rx_frames=received, tx_frames=0, drops={"no_route": dropped}),
            PortTally(port=1, rx_frames=0, tx_frames=sent, drops={}),
        ),
    )


def measured(device: Telling, trials: int = 1) -> TrialResult:
    measurer = Counted(Sending(), device, {0: 0, 1: 1})
    return [measurer.measure(REQUEST) for _ in range(trials)][-1]


def test_one_look_is_enough_where_all_adds_up() -> None:
    device = Telling(told(7, 7), told(107, 97, dropped=10))
    result = measured(device)
    assert device.asked == 2
    assert [(loss.hop, loss.frames, loss.reason) for loss in result.hop_losses] == [("FIB", 10, "no_route")]
    assert judge(result, ValidityLimits()) == ()


def test_frames_that_are_still_under_way_are_waited_for() -> None:
    device = Telling(told(0, 0), told(100, 80, held=3), told(100, 87, held=3), told(100, 90, dropped=10))
    assert judge(measured(device), ValidityLimits()) == ()
    assert device.asked == 4


def test_a_dut_that_tells_no_fate_is_asked_until_nothing_moves() -> None:
    tallies = (told(0, 0), told(100, 80), told(100, 90), told(100, 90))
    device = Telling(*(tally.model_copy(update={"complete": False}) for tally in tallies))
    result = measured(device)
    assert [(loss.hop, loss.frames) for loss in result.hop_losses] == [("not accounted for", 10)]
    assert (result.balances, device.asked) == ((), 4)


def test_held_frames_are_told_apart_from_lost_ones() -> None:
    result = measured(Telling(told(0, 0), told(100, 90, dropped=6, held=4)))
    assert [(loss.hop, loss.frames) for loss in result.hop_losses] == [("FIB", 6), ("held", 4)]
    assert judge(result, ValidityLimits()) == ()


def test_what_never_comes_to_rest_is_judged_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted, "SETTLE_LIMIT_S", 0.1)
    device = Telling(told(0, 0), *(told(100, 90, dropped=number, held=1) for number in range(50)))
    assert "do not add up at the DUT: 100 frames came there" in judge(measured(device), ValidityLimits())[0]
    assert device.asked < 20


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (told(0, 0, boot="2"), "its boot was 1 and is 2"),
        (told(3, 0), "its port 0 had received 5 frames and now 3"),
        (DutError("the console is gone; its last lines: pix> reboot"), "it does not answer: the console is gone"),
    ],
)
def test_a_restart_is_a_reason_and_mended_before_the_next_trial(after: Tally | DutError, says: str) -> None:
    device = Telling(told(5, 5), after)
    result = measured(device)
    assert judge(result, ValidityLimits()) == (f"the DUT restarted during the trial: {says}",)
    assert judge(result, ValidityLimits(restart_asked=True)) == ()
    assert (result.hop_losses, result.balances, device.restored) == ((), (), 0)
    again = Telling(told(5, 5), after, told(5, 5), told(105, 95, dropped=10))
    assert judge(measured(again, trials=2), ValidityLimits()) == ()
    assert again.restored == 1
