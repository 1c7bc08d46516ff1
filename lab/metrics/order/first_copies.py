"""Telling first copies of packets from duplicates, as far back as a window of numbers reaches."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class FirstCopies:
    """Which arrivals are first copies.

    Invariant: the numbers are parted into blocks of ``window``; ``_seen`` has two halves and tells which numbers of the
    block of the greatest number so far, and of the block before it, have come. A number less than ``window`` below the
    greatest is in one of these.
    """

    def __init__(self, window: int) -> None:
        """Begin before the first arrival.

        Args:
            window: how many numbers below the greatest one a packet may come and be told from a duplicate.

        """
        self._window = window
        self._seen = np.zeros(2 * window, dtype=np.bool_)
        self._newest = -1
        self._block = 0
        self.duplicates = 0
        self.too_old = 0

    def judge(self, numbers: Numbers) -> Mask:
        """Return which of the arrivals are first copies; the others are counted as duplicates or too old."""
        running = np.maximum.accumulate(np.maximum(numbers, self._newest))
        before = np.concatenate(([self._newest], running[:-1]))
        blocks = running // self._window
        first = np.zeros(numbers.size, dtype=np.bool_)
        edges = [0, *(np.flatnonzero(np.diff(blocks)) + 1).tolist(), numbers.size]
        for begin, end in pairwise(edges):
            self._advance(int(blocks[begin]))
            first[begin:end] = self._judge_block(numbers[begin:end], before[begin:end])
        self._newest = int(running[-1])
        return first

    def _advance(self, block: int) -> None:
        if block == self._block + 1:
            half = (block % 2) * self._window
            self._seen[half : half + self._window] = False
        elif block > self._block:
            self._seen[:] = False
        self._block = block

    def _judge_block(self, numbers: Numbers, before: Numbers) -> Mask:
        young = numbers > before - self._window
        slots = numbers % self._seen.size
        first: Mask = young & ~self._seen[slots]
        if not np.all(numbers[1:] > numbers[:-1]):
            candidates = np.flatnonzero(first)
            _, earliest = np.unique(numbers[candidates], return_index=True)
            first = np.zeros(numbers.size, dtype=np.bool_)
            first[candidates[earliest]] = True
        self._seen[slots[first]] = True
        old = int(np.count_nonzero(~young))
        self.too_old += old
        self.duplicates += int(numbers.size - np.count_nonzero(first)) - old
        return first
