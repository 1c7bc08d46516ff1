"""A point in time by which something must have happened."""

from __future__ import annotations

import time


class Deadline:
    """A deadline ``timeout_s`` seconds from now; passed on, so that steps share one limit."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._end_s = time.monotonic() + timeout_s

    @property
    def remaining_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end_s - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self.remaining_s == 0.0
