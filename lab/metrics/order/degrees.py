"""n-reordering (RFC 4737 section 5)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lab.metrics.order.model import Degrees

LEVELS = 10
LIMIT = 2**LEVELS - 1


class DegreeCounter:
    """Counts packets by the number of arrivals directly before them that all had greater numbers, up to ``LIMIT``.

    ``_last`` are the last ``LIMIT`` arrivals, with -1 (less than any number) for what came before the first.
    """

    def __init__(self) -> None:
        """Begin before the first arrival."""
        self._last = np.full(LIMIT, -1, dtype=np.int64)
        self._received = 0
        self._degrees = np.zeros(LIMIT + 1, dtype=np.int64)

    def add(self, numbers: npt.NDArray[np.int64]) -> None:
        """Account arrivals in their order, duplicates included."""
        known = np.concatenate((self._last, numbers))
        late = np.flatnonzero(known[LIMIT:] < known[LIMIT - 1 : -1]) + LIMIT
        if late.size:
            self._degrees += np.bincount(_degrees(known, late), minlength=LIMIT + 1)
        self._received += int(numbers.size)
        self._last = known[-LIMIT:]

    def result(self) -> Degrees:
        """Return what was counted so far."""
        found = np.flatnonzero(self._degrees).tolist()
        return Degrees(
            received=self._received, limit=LIMIT, degrees=tuple((n, int(self._degrees[n])) for n in found if n)
        )


def _degrees(known: npt.NDArray[np.int64], late: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return for each place in ``late`` how many values in a row directly before it are greater, at most ``LIMIT``.

    ``minima[k]`` has the least of the 2^k values that end at each place, so that the number is found bit by bit.
    """
    minima = [known]
    for level in range(LEVELS - 1):
        least = minima[-1].copy()
        least[2**level :] = np.minimum(least[2**level :], minima[-1][: -(2**level)])
        minima.append(least)
    degree = np.zeros(late.size, dtype=np.int64)
    for level in reversed(range(LEVELS)):
        greater = minima[level][late - 1 - degree] > known[late]
        degree[greater] += 2**level
    return degree
