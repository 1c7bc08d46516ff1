"""Trials during which something else is done to the device, again and again: updates under load."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lab.methods.trial import Measurer, TrialRequest, TrialResult

LEAD_S = 0.3
"""From the request of a trial until frames flow: nothing is done that early."""


class Meanwhile:
    """A Measurer that has an action done over and over while frames flow. ``done`` counts those of the last trial."""

    def __init__(self, measurer: Measurer, action: Callable[[], None], pause_s: float) -> None:
        """Bind an action, which a thread of its own runs with a pause of ``pause_s`` after each time."""
        self._measurer = measurer
        self._action = action
        self._pause_s = pause_s
        self.done = 0

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run one trial; see Measurer.measure. What the action raises is raised when the trial has ended.

        Whether the trial counts is left to who asked for it, who knows what the action may disturb.
        """
        ended = threading.Event()
        failed: list[Exception] = []
        self.done = 0

        def act() -> None:
            try:
                if ended.wait(LEAD_S):
                    return
                while not ended.is_set():
                    self._action()
                    self.done += 1
                    ended.wait(self._pause_s)
            except Exception as error:
                failed.append(error)

        thread = threading.Thread(target=act)
        thread.start()
        try:
            result = self._measurer.measure(request)
        finally:
            ended.set()
            thread.join()
        if failed:
            raise failed[0]
        return result.model_copy(update={"invalid": ()})
