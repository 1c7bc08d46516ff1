"""What a core of the plain-Python reference makes of conditional jumps whose values have not arrived.

It predicts that each goes as it went last. Running ahead it notes what it predicted; when it comes there again with
the values, the first prediction that was wrong costs the restart of its pipeline, and all that lay behind it.
"""

from __future__ import annotations

from collections import deque

MAX_GUESSES = 64  # jumps that a core leaves open at a time


class Jumps:
    """The conditional jumps of one core. Invariant: guesses are in the order in which they were made."""

    def __init__(self, instructions: int) -> None:
        self._taken = [False] * instructions  # how each went last
        self._guesses: list[tuple[int, bool]] = []  # jumps since the load that waits, and which way this one went
        self._open: deque[tuple[int, bool]] = deque()  # those that were not judged yet
        self._passed = 0  # conditional jumps since the load that waits

    def begin(self) -> None:
        """A load waits: what was predicted behind an earlier one does not matter any more."""
        self._guesses = []
        self._open = deque()
        self._passed = 0

    def again(self) -> None:
        """The load has its value: the same jumps come again."""
        self._open = deque(self._guesses)
        self._passed = 0

    def passed(self) -> None:
        """A jump has been passed while running ahead."""
        self._passed += 1

    def predict(self, pc: int) -> bool | None:
        """Predict the jump at pc, which depends on what has not arrived; None when too many are open."""
        if len(self._guesses) == MAX_GUESSES:
            return None
        self._guesses.append((self._passed, self._taken[pc]))
        return self._taken[pc]

    def surprise(self, pc: int, taken: bool) -> bool:
        """Whether the jump at pc, which goes so for good, had been predicted to go otherwise."""
        before, self._passed = self._passed, self._passed + 1
        self._taken[pc] = taken
        if not self._open or self._open[0][0] != before or self._open.popleft()[1] == taken:
            return False
        self._open.clear()  # what came behind it was another way
        return True
