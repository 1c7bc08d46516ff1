"""Latency distributions: HdrHistograms of many trials merged, and the percentiles that their counts allow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hdrh.histogram import HdrHistogram

from lab.methods.trial import LatencyRecord

PERCENTILES = (50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999)
MIN_SAMPLES_BEYOND = 10
CURVE_POINTS_PER_DECADE = 12


@dataclass(frozen=True)
class LatencyDistribution:
    """Latencies of one direction merged over trials.

    ``values_ns`` are the upper ends of the histogram's buckets, ascending; ``cumulative`` says how many samples lie at
    or below each.
    """

    count: int
    min_ns: int
    max_ns: int
    mean_ns: float
    values_ns: npt.NDArray[np.int64]
    cumulative: npt.NDArray[np.int64]

    def value_us(self, percentile: float) -> float | None:
        """Return the latency that ``percentile`` percent of the samples do not exceed, in microseconds.

        Returns:
            None where fewer than 10 samples lie beyond the percentile: such a tail is chance. The median needs but one.

        """
        beyond = self.count * (100.0 - percentile) / 100.0
        if self.count == 0 or (percentile > 50.0 and beyond < MIN_SAMPLES_BEYOND - 1e-9):
            return None
        return self._quantile_us(percentile)

    def percentiles_us(self) -> dict[str, float | None]:
        """Return the usual percentiles in microseconds by name (``"99.9"``); None as in ``value_us``."""
        return {f"{p:g}": self.value_us(p) for p in PERCENTILES}

    def variation_us(self, percentile: float) -> float | None:
        """Return that percentile of the packet delay variation in microseconds: the delay less the least of all delays.

        It is PDV of RFC 5481 (section 4.2). Delays come from a histogram, so a variation below a thousandth of the
        delay is lost in its buckets.

        Returns:
            None as in ``value_us``.

        """
        value_us = self.value_us(percentile)
        return None if value_us is None else value_us - self.min_ns / 1000.0

    def curve(self) -> tuple[tuple[float, float], ...]:
        """Return points (percentile, microseconds), evenly spread over 1 / (1 - p), up to the last sample's share."""
        if self.count == 0:
            return ()
        steps = int(math.log10(self.count) * CURVE_POINTS_PER_DECADE)
        shares = [100.0 * (1.0 - 10.0 ** (-step / CURVE_POINTS_PER_DECADE)) for step in range(steps + 1)]
        return tuple((round(p, 6), self._quantile_us(p)) for p in shares)

    def _quantile_us(self, percentile: float) -> float:
        wanted = max(1, math.ceil(self.count * percentile / 100.0 - 1e-9))
        value_ns = int(self.values_ns[np.searchsorted(self.cumulative, wanted)])
        return min(max(value_ns, self.min_ns), self.max_ns) / 1000.0


def merge(records: Sequence[LatencyRecord]) -> LatencyDistribution:
    """Merge the histograms of several trials of the same direction and load.

    Args:
        records: histograms as HdrHistogram V2 in base64, unit 1 ns.

    Returns:
        One distribution; its count is 0 when there were no samples.

    Raises:
        ValueError: a histogram cannot be decoded, or holds another number of samples than its record says.

    """
    filled = [r for r in records if r.count]
    return distribution(
        [(r.hdr, r.count) for r in filled],
        f"latency histogram of port {filled[0].rx_port}" if filled else "",
        min_ns=min((r.min_ns for r in filled), default=0),
        max_ns=max((r.max_ns for r in filled), default=0),
        sum_ns=sum(r.mean_ns * r.count for r in filled),
    )


def distribution(
    histograms: Sequence[tuple[str, int]], what: str, *, min_ns: int, max_ns: int, sum_ns: float
) -> LatencyDistribution:
    """Add up histograms of times.

    Args:
        histograms: each as HdrHistogram V2 in base64, unit 1 ns, with the number of samples that it should hold.
        what: they are, for a message.
        min_ns: least time of all.
        max_ns: greatest time of all.
        sum_ns: of all times.

    Returns:
        One distribution; its count is 0 when there were no samples.

    Raises:
        ValueError: a histogram cannot be decoded, or holds another number of samples than it should.

    """
    counts: dict[int, int] = {}
    for encoded, samples in histograms:
        for value_ns, count in _decode(encoded, samples, what):
            counts[value_ns] = counts.get(value_ns, 0) + count
    values = sorted(counts)
    total = sum(counts.values())
    return LatencyDistribution(
        count=total,
        min_ns=min_ns,
        max_ns=max_ns,
        mean_ns=sum_ns / total if total else 0.0,
        values_ns=np.array(values, dtype=np.int64),
        cumulative=np.cumsum([counts[v] for v in values], dtype=np.int64),
    )


def _decode(encoded: str, samples: int, what: str) -> list[tuple[int, int]]:
    try:
        histogram = HdrHistogram.decode(encoded)
    except Exception as error:  # hdrh raises its own, zlib's, struct's and base64's, and has no common base
        raise ValueError(f"{what} cannot be decoded: {error}") from error
    total = int(histogram.get_total_count())
    if total != samples:
        raise ValueError(f"{what} holds {total} samples, its record says {samples}")
    counts = np.ctypeslib.as_array(histogram.counts)  # its own iterator visits all 25,600 buckets, one by one
    return [
        (int(histogram.get_highest_equivalent_value(histogram.get_value_from_index(index))), int(counts[index]))
        for index in map(int, np.flatnonzero(counts))
    ]
