"""How far a long command is, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

LINE_EVERY_S = 10.0
REWRITTEN_EVERY_S = 0.2


class Progress:
    """Counts what is done of a known number of things.

    On a terminal one line rewrites itself; elsewhere (a log) there is a line every ten seconds.
    """

    def __init__(
        self, total: int, what: str, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin.

        Args:
            total: how many things are still to be done.
            what: they are, in the plural.
            out: where to; stderr by default.
            clock: in seconds.

        """
        self._total, self._what, self._clock = total, what, clock
        self._out = out or sys.stderr
        self._done = 0
        self._begun_s = self._shown_s = clock()
        self._every_s = REWRITTEN_EVERY_S if self._out.isatty() else LINE_EVERY_S

    def step(self) -> None:
        """Say that one more is done; it is shown if enough time has passed."""
        self._done += 1
        now_s = self._clock()
        if now_s - self._shown_s >= self._every_s:
            self._shown_s = now_s
            self._show(words(self._done, self._total, self._what, now_s - self._begun_s))

    def end(self) -> None:
        """Clear the line of a terminal for what is printed next."""
        if self._out.isatty():
            self._show("")

    def _show(self, text: str) -> None:
        self._out.write(f"\r{text}\033[K" if self._out.isatty() else f"{text}\n")
        self._out.flush()


def words(done: int, total: int, what: str, elapsed_s: float) -> str:
    """Return how many are done and how long the others will take, if they take as long as those (at least one)."""
    left_s = round(elapsed_s / done * (total - done))
    hours, minutes, seconds = left_s // 3600, left_s // 60 % 60, left_s % 60
    left = f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return f"{done} of {total} {what}, {left} left"
