"""What the journal of a killed run remembers: its trials are given again instead of being run once more.

A method is deterministic in the results of its trials, so a resumed run that is given those of its journal asks for the
same ones again, up to the instant of the kill, and goes on from there. The journal only grows: every resumption writes
all events anew behind a run-resumed event (an *attempt*), the trials that it was given included. So the last attempt
has all there is, unless it was killed while it was still being given what an earlier one knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from lab.methods.trial import TrialRequest, TrialResult
from lab.results import events as ev
from lab.simulation.facts import HostFacts
from lab.traffic.calibration import Calibration


def attempts(events: Sequence[ev.Event]) -> list[list[ev.Event]]:
    """Return the events of each attempt at a run; the first one begins with the start of the run, as all do here."""
    starts = [number for number, event in enumerate(events) if isinstance(event, ev.RunResumed)]
    bounds = [0, *starts, len(events)]
    parts = [list(events[begin:end]) for begin, end in pairwise(bounds)]
    return [parts[0], *([events[0], *part] for part in parts[1:])]


def fullest(events: Sequence[ev.Event]) -> list[ev.Event]:
    """Return the events of the last attempt that has as many trials as any: it knows all there is to know."""
    return max(reversed(attempts(events)), key=_trials)


def _trials(events: Sequence[ev.Event]) -> int:
    return sum(isinstance(event, ev.TrialEnded) for event in events)


class Memory:
    """The trials of a killed run, in their order, by test and search; and what it had measured of its surroundings."""

    def __init__(self, events: Sequence[ev.Event]) -> None:
        """Remember the events of a journal; none at all for a run that begins."""
        self.calibration: Calibration | None = None
        self.host: HostFacts | None = None
        self._trials: dict[tuple[str, str], list[TrialResult]] = {}
        for attempt in attempts(events) if events else []:
            kept: dict[tuple[str, str], list[TrialResult]] = {}
            for event in attempt:
                if isinstance(event, ev.TrialEnded):
                    kept.setdefault((event.test, event.trial.search), []).append(event.trial.result)
                elif isinstance(event, ev.Calibrated):
                    self.calibration = event.calibration or self.calibration
                elif isinstance(event, ev.HostMeasured):
                    self.host = event.facts
            for key, results in kept.items():
                if len(results) > len(self._trials.get(key, ())):
                    self._trials[key] = results

    @property
    def left(self) -> int:
        """How many trials it can still give."""
        return sum(map(len, self._trials.values()))

    def recall(self, test: str, search: str, request: TrialRequest) -> TrialResult | None:
        """Return the next trial of a search of a test; None when there is none any more.

        Where another trial is asked for than the one that is remembered, the lab or the test is not what it was: what
        comes of that search is then measured anew, and ``LookupError`` says so, once.

        Raises:
            LookupError: another trial was recorded.

        """
        remembered = self._trials.get((test, search))
        if not remembered:
            return None
        result = remembered.pop(0)
        if result.request == request:
            return result
        remembered.clear()
        raise LookupError(
            f"{test}, {search}: the resumed run asks for another trial ({_named(request)}) than the journal has "
            f"({_named(result.request)}): measured anew from here on"
        )


def _named(request: TrialRequest) -> str:
    return f"{request.frame_size_bytes} bytes, {request.rate_pps:.0f} pps, {request.total_s:g} s"
