"""A generator or a DUT that fails in the middle of a trial: the trial is invalid, and what failed is brought back."""

from __future__ import annotations

import time
from collections.abc import Callable

from lab.errors import DutError, GeneratorError, ImageMismatch, LabError, WrongFramesReceived
from lab.methods.trial import Measurer, TrialRequest, TrialResult

Recover = Callable[[], None]
"""Brings the generator and the DUT back to where trials can be run; raises LabError where that cannot be."""


def failed_trial(request: TrialRequest, error: GeneratorError | DutError) -> TrialResult:
    """Return the result of a trial of which nothing is known but that it failed: invalid, without a count."""
    who = "generator" if isinstance(error, GeneratorError) else "DUT"
    return TrialResult(
        request=request,
        started_at_s=time.time(),
        duration_s=request.total_s,
        directions=(),
        invalid=(f"the {who} failed: {error}",),
    )


class Survivor:
    """A Measurer whose trials do not end with the generator or the DUT.

    After each trial, once who watches has been told of it, ``recover`` is to be called.
    """

    def __init__(self, measurer: Measurer, recover: Recover | None) -> None:
        """Wrap a measurer.

        Args:
            measurer: runs single trials.
            recover: makes good what failed; None: nothing can, and the first failure ends the method.

        """
        self._measurer = measurer
        self._recover = recover
        self._error: LabError | None = None
        self._in_a_row = 0

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run one trial; see Measurer.measure. A failure gives an invalid trial.

        What no repetition changes is raised: wrong frames, another image than the one that was asked for.
        """
        self._error = None
        try:
            result = self._measurer.measure(request)
        except (WrongFramesReceived, ImageMismatch):
            raise
        except (GeneratorError, DutError) as error:
            self._error = error
            self._in_a_row += 1
            return failed_trial(request, error)
        self._in_a_row = 0
        return result

    def recover(self) -> None:
        """Bring back what failed in the last trial; nothing to do where nothing did.

        Raises:
            LabError: nothing can bring it back, or it failed again at once.

        """
        if self._error is None:
            return
        if self._recover is None or self._in_a_row > 1:
            raise self._error
        self._recover()
