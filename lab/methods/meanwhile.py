"""Trials during which something else is done to the device: again and again (updates under load), or once (a reset)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from lab.methods.trial import Measurer, TrialRequest, TrialResult

LEAD_S = 0.3
"""From the request of a trial until frames flow: nothing is done that early."""


class Meanwhile:
    """A Measurer that has an action done over and over while frames flow. ``done`` counts those of the last trial."""

    def __init__(self, measurer: Measurer, action: Callable[[], object], pause_s: float) -> None:
        """Bind an action, which a thread of its own runs with a pause of ``pause_s`` after each time."""
        self._measurer = measurer
        self._action = action
        self._pause_s = pause_s
        self.done = 0

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run one trial; see Measurer.measure. What the action raises is raised when the trial has ended.

        Whether the trial counts is left to who asked for it, who knows what the action may disturb.
        """
        self.done = 0

        def act(ended: threading.Event) -> None:
            if ended.wait(LEAD_S):
                return
            while not ended.is_set():
                self._action()
                self.done += 1
                ended.wait(self._pause_s)

        return _beside(self._measurer, request, act)


class OnceMeasurer(Protocol):
    """A Measurer that does something once in each trial, and tells what was wrong with that in the last one."""

    problem: str

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run one trial; see Measurer.measure."""
        ...


class Once:
    """A Measurer that has an action done once in each trial, ``after_s`` after frames began to flow.

    ``problem`` says why the last trial did not see the whole action, in one clause; empty when it did.
    """

    def __init__(self, measurer: Measurer, action: Callable[[], object], after_s: float) -> None:
        """Bind an action, which a thread of its own runs; it may take longer than the trial."""
        self._measurer = measurer
        self._action = action
        self._after_s = after_s
        self.problem = ""

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run one trial and return when the action, too, has ended; see Meanwhile.measure."""
        self.problem = ""

        def act(ended: threading.Event) -> None:
            if ended.wait(LEAD_S + self._after_s):
                self.problem = "the trial ended before the action began"
                return
            self._action()
            if ended.is_set():
                self.problem = "the trial ended before the action did"

        return _beside(self._measurer, request, act)


def _beside(measurer: Measurer, request: TrialRequest, act: Callable[[threading.Event], None]) -> TrialResult:
    """Run a trial beside a thread that is told when it has ended, and drop what the driver holds against the trial."""
    ended = threading.Event()
    failed: list[Exception] = []

    def run() -> None:
        try:
            act(ended)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        result = measurer.measure(request)
    finally:
        ended.set()
        thread.join()
    if failed:
        raise failed[0]
    return result.model_copy(update={"invalid": ()})
