"""Reorder density (RFC 5236): how far packets are from where they would have arrived in order."""

from __future__ import annotations

import copy
from collections import deque

import numpy as np
import numpy.typing as npt

from lab.metrics.order.lines import long_lines
from lab.metrics.order.model import Density

FEW = 16
"""Numbers that are tried one after the other before all that could come next are looked through."""


class DisplacementCounter:
    """The RFC's algorithm for RD, packet by packet but for long runs of successive numbers.

    A receive index is given to each packet that arrives, in the order of arrival; it passes over the numbers of lost
    packets. The displacement is the index less the number. A packet counts as lost when it is neither among the next
    ``threshold`` + 1 arrivals nor among those that came early, and an arrival below the index as a duplicate.

    Invariants: ``_window`` are at most ``threshold`` + 1 arrivals that have no index yet, ``_waiting`` the same as a
    set; ``_early`` are numbers not below the index that have been given an earlier one.
    """

    def __init__(self, threshold: int) -> None:
        """Begin before the first packet, which has number 0.

        Args:
            threshold: DT, greatest displacement in packets of one that does not count as lost.

        """
        self._threshold = threshold
        self._index = 0
        self._window: deque[int] = deque()
        self._waiting: set[int] = set()
        self._early: set[int] = set()
        self._counts = [0] * (2 * threshold + 1)
        self._discarded = 0

    def add(self, numbers: npt.NDArray[np.int64]) -> None:
        """Account arrivals in their order, duplicates included."""
        at = 0
        for begin, end in long_lines(numbers, 2 * self._threshold + 2):
            filled = begin + self._threshold + 1
            self._take(numbers[at:filled].tolist())
            at = filled
            if self._in_step():
                self._skip(end - filled)
                at = end
        self._take(numbers[at:].tolist())

    def result(self) -> Density:
        """Return the density of all arrivals so far, as if no more came."""
        ended = copy.deepcopy(self)
        while ended._window:
            ended._step()
        counts = [(d - self._threshold, n) for d, n in enumerate(ended._counts) if n]
        return Density(
            threshold=self._threshold,
            packets=sum(ended._counts),
            discarded=ended._discarded,
            counts=tuple(counts),
        )

    def _in_step(self) -> bool:
        """Say whether the window is full of the numbers from the index on, in order, and no packet came early."""
        full = range(self._index, self._index + self._threshold + 1)
        return not self._early and list(self._window) == list(full)

    def _skip(self, packets: int) -> None:
        """Account packets that go on in step with the window."""
        self._counts[self._threshold] += packets
        self._index += packets
        self._window = deque(range(self._index, self._index + self._threshold + 1))
        self._waiting = set(self._window)

    def _take(self, numbers: list[int]) -> None:
        window, waiting, early, room = self._window, self._waiting, self._early, self._threshold + 1
        for number in numbers:
            if len(window) == room:
                self._step()
            if number < self._index or number in waiting or number in early:
                self._discarded += 1
            else:
                window.append(number)
                waiting.add(number)

    def _step(self) -> None:
        """Give the next index to the first packet of the window."""
        if self._index not in self._waiting and self._index not in self._early:
            self._index = self._next_index()
        number = self._window.popleft()
        self._waiting.remove(number)
        displacement = self._index - number
        if abs(displacement) > self._threshold:
            self._discarded += 1
            return
        self._counts[displacement + self._threshold] += 1
        self._early.discard(self._index)
        if displacement < 0:
            self._early.add(number)
        self._index += 1

    def _next_index(self) -> int:
        """Return the least number above the index that is in the window or came early: those between are lost."""
        for index in range(self._index + 1, self._index + FEW):
            if index in self._waiting or index in self._early:
                return index
        return min(n for some in (self._waiting, self._early) for n in some if n > self._index)
