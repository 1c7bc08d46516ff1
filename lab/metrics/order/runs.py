"""Reordering-free runs (RFC 4737 section 4.6)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lab.metrics.order.counts import Counts
from lab.metrics.order.model import FreeRuns


class RunCounter:
    """Counts the in-order packets between reordered ones."""

    def __init__(self) -> None:
        """Begin before the first packet."""
        self._lengths = Counts()
        self._runs = self._squares = self._packets = self._in_order = self._run = 0

    def add(self, reordered: npt.NDArray[np.bool_]) -> None:
        """Account first copies in their order of arrival, by whether they are reordered."""
        ends = np.flatnonzero(reordered)
        self._packets += int(reordered.size)
        self._in_order += int(reordered.size - ends.size)
        if not ends.size:
            self._run += int(reordered.size)
            return
        lengths = np.diff(ends, prepend=-1) - 1
        lengths[0] += self._run
        self._lengths.add(lengths)
        self._runs += int(ends.size)
        self._squares += int(np.sum(lengths * lengths))
        self._run = int(reordered.size - 1 - ends[-1])

    def result(self) -> FreeRuns:
        """Return what was counted so far."""
        return FreeRuns(
            runs=self._runs,
            squares=self._squares,
            packets=self._packets,
            in_order=self._in_order,
            lengths=self._lengths.result(),
            last=self._run,
        )
