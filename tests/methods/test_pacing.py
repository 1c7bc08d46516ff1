"""What happens around a trial, in which order and for how long."""

from __future__ import annotations

from lab.methods.pacing import RFC2544_PACING, Paced, TrialPacing
from lab.methods.trial import TrialRequest, TrialResult

REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=1e6, duration_s=1.0, tagged=False)


class Noted:
    """A Measurer that notes what it is asked for."""

    def __init__(self, notes: list[object]) -> None:
        self.notes = notes

    def measure(self, request: TrialRequest) -> TrialResult:
        self.notes.append(("trial", request.residual_s))
        return TrialResult(request=request, started_at_s=0.0, duration_s=1.0, directions=())


def around(pacing: TrialPacing) -> list[object]:
    notes: list[object] = []
    paced = Paced(Noted(notes), lambda: notes.append("learn"), pacing, notes.append)
    assert paced.measure(REQUEST).request == REQUEST
    return notes


def test_a_trial_of_rfc_2544_is_framed_as_its_section_23_says() -> None:
    assert around(RFC2544_PACING) == ["learn", 2.0, ("trial", 2.0), 5.0]
    assert RFC2544_PACING.overhead_s == 9.0


def test_without_pacing_there_is_only_the_trial() -> None:
    assert around(TrialPacing()) == [("trial", 0.0), 0.0]
