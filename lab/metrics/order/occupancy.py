"""Reorder buffer-occupancy density (RFC 5236): how many packets wait in a buffer that restores the order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lab.metrics.order.lines import long_lines
from lab.metrics.order.model import Density

LONG = 16
"""Successive packets from which on a run is worth taking at once."""
FEW = 16
"""Numbers that are tried one after the other before all that could come next are looked through."""


class OccupancyCounter:
    """The RFC's algorithm for RBD, packet by packet but for runs of successive numbers while nothing waits.

    Invariant: ``_expected`` is the least number that neither has come nor counts as lost, and ``_buffer`` are the
    greater ones that have come, at most ``threshold``. When one more would have to wait, what is expected counts as
    lost.
    """

    def __init__(self, threshold: int) -> None:
        """Begin before the first packet, which has number 0.

        Args:
            threshold: BT, greatest number of packets that wait.

        """
        self._threshold = threshold
        self._expected = 0
        self._buffer: set[int] = set()
        self._counts = [0] * (threshold + 1)
        self._discarded = 0

    def add(self, numbers: npt.NDArray[np.int64]) -> None:
        """Account arrivals in their order, duplicates included."""
        at = 0
        for begin, end in long_lines(numbers, LONG):
            self._take(numbers[at:begin].tolist())
            at = begin
            if not self._buffer and numbers[begin] == self._expected:
                self._counts[0] += end - begin
                self._expected += end - begin
                at = end
        self._take(numbers[at:].tolist())

    def result(self) -> Density:
        """Return the density of all arrivals so far."""
        return Density(
            threshold=self._threshold,
            packets=sum(self._counts),
            discarded=self._discarded,
            counts=tuple((occupancy, n) for occupancy, n in enumerate(self._counts) if n),
        )

    def _take(self, numbers: list[int]) -> None:
        buffer, counts, threshold, expected = self._buffer, self._counts, self._threshold, self._expected
        for number in numbers:
            if number < expected or number in buffer:
                self._discarded += 1
                continue
            if number > expected:
                buffer.add(number)
                if len(buffer) <= threshold:
                    counts[len(buffer)] += 1
                    continue
                expected = _least(buffer, expected)  # what was expected is lost
                buffer.remove(expected)
            expected += 1
            while expected in buffer:
                buffer.remove(expected)
                expected += 1
            counts[len(buffer)] += 1
        self._expected = expected


def _least(buffer: set[int], above: int) -> int:
    """Return the least of the numbers, all of which are greater than ``above``."""
    return next((number for number in range(above + 1, above + FEW) if number in buffer), None) or min(buffer)
