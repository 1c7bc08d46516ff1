"""What is done before and after each trial: learning frames and pauses (RFC 2544 section 23)."""

from __future__ import annotations

import time
from collections.abc import Callable

from lab.methods.trial import Measurer, TrialRequest, TrialResult
from lab.models import Model


class TrialPacing(Model):
    """How a trial is framed; by default not at all.

    Where there is ``learning``, learning frames go out first, and ``after_learning_s`` pass. Once the last frame was
    sent, residual ones are waited for ``residual_s``, beyond the settling of the counters. ``after_trial_s`` is for the
    DUT to become stable again.
    """

    learning: bool = False
    after_learning_s: float = 0.0
    residual_s: float = 0.0
    after_trial_s: float = 0.0

    @property
    def overhead_s(self) -> float:
        """How much longer a trial takes by it."""
        return self.after_learning_s + self.residual_s + self.after_trial_s


RFC2544_PACING = TrialPacing(learning=True, after_learning_s=2.0, residual_s=2.0, after_trial_s=5.0)
"""Section 23 b, d and e. The routing updates of a have been sent long before: routes are configured."""


class Paced:
    """A Measurer that frames each trial of another one. Wrap it around whatever counts frames of a trial."""

    def __init__(
        self,
        measurer: Measurer,
        learn: Callable[[], None],
        pacing: TrialPacing,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Bind a measurer.

        Args:
            measurer: runs a trial.
            learn: has the DUT learn what is behind its ports.
            pacing: what is done, and for how long.
            sleep: waits for seconds.

        """
        self._measurer = measurer
        self._learn = learn
        self._pacing = pacing
        self._sleep = sleep

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run one trial; see Measurer.measure. What ``learn`` raises is raised."""
        if self._pacing.learning:
            self._learn()
            self._sleep(self._pacing.after_learning_s)
        asked = request.model_copy(update={"residual_s": self._pacing.residual_s})
        result = self._measurer.measure(asked)
        self._sleep(self._pacing.after_trial_s)
        return result.model_copy(update={"request": request})  # as it was asked for, by which a journal finds it
