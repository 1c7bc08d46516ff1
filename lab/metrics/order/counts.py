"""Counting whole numbers in bounded memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lab.metrics.order.model import Distribution

EXACT_BITS = 11


class Counts:
    """Counts of values from 0 to 2^53: below 2048 each by itself, above in buckets a thousandth wide.

    So it holds at most 2048 + 1024 * 42 numbers, whatever comes.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._counts: dict[int, int] = {}
        self._count = self._sum = self._max = 0
        self._min = 0

    def add(self, values: npt.NDArray[np.int64]) -> None:
        """Count these values."""
        if not values.size:
            return
        least = int(values.min())
        self._min = least if self._count == 0 else min(self._min, least)
        self._max = max(self._max, int(values.max()))
        self._count += int(values.size)
        self._sum += int(values.sum())
        _, bits = np.frexp(values.astype(np.float64))
        shift = np.maximum(bits.astype(np.int64) - EXACT_BITS, 0)
        buckets, counts = np.unique((values >> shift) << shift, return_counts=True)
        for bucket, count in zip(buckets.tolist(), counts.tolist(), strict=True):
            self._counts[bucket] = self._counts.get(bucket, 0) + count

    def copy(self) -> Counts:
        """Return another one that goes on by itself."""
        other = Counts()
        other.__dict__.update(self.__dict__, _counts=dict(self._counts))
        return other

    def result(self) -> Distribution:
        """Return what was counted."""
        return Distribution(
            count=self._count,
            min=self._min,
            max=self._max,
            mean=self._sum / self._count if self._count else 0.0,
            counts=tuple(sorted(self._counts.items())),
        )
