"""Latency of a flow from the engine's exact counts: as an HdrHistogram, and in TRex's coarser words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hdrh.histogram import HdrHistogram

from lab.vtrex.messages import LatencyCounters

LOWEST_NS = 1
HIGHEST_NS = 10_000_000_000
DIGITS = 3
_HALF = 1024  # half of the sub-buckets of a histogram with three digits

Buckets = Sequence[tuple[int, int]]


def bucket_value(index: int) -> int:
    """Return the lowest value of the engine's bucket with this index (engine/histogram.h)."""
    if index < 2 * _HALF:
        return index
    return (index % _HALF + _HALF) << (index // _HALF - 1)


def encode_histogram(buckets: Buckets) -> str:
    """Return the counts as a compressed V2 HdrHistogram in base64: values in ns, 1 ns to 10 s, 3 digits."""
    histogram = HdrHistogram(LOWEST_NS, HIGHEST_NS, DIGITS)
    for index, count in buckets:
        histogram.record_value(bucket_value(index), count)
    return bytes(histogram.encode()).decode()


def trex_histogram(buckets: Iterable[tuple[int, int]]) -> dict[str, int]:
    """Return TRex's histogram: microseconds, nine bins a decade from 10 us on, everything below in "0".

    What took a second or longer is counted in the last bin, 900000 (TRex drops it).
    """
    bins: dict[int, int] = {}
    for index, count in buckets:
        latency_us = min(bucket_value(index) // 1000, 900_000)
        decade = 10
        while latency_us >= 10 * decade:
            decade *= 10
        lower = latency_us // decade * decade if latency_us >= 10 else 0
        bins[lower] = bins.get(lower, 0) + count
    return {str(lower): count for lower, count in sorted(bins.items())}


def add_bins(past: Mapping[str, int], present: Mapping[str, int]) -> dict[str, int]:
    """Return the sum of two of TRex's histograms."""
    return {lower: past.get(lower, 0) + present.get(lower, 0) for lower in sorted({*past, *present}, key=int)}


def trex_latency(counters: LatencyCounters, buckets: Buckets, past: Mapping[str, int]) -> dict[str, Any]:
    """Return one entry of ``latency`` in get_pgid_stats.

    Args:
        counters: since the last start.
        buckets: since the last start.
        past: TRex's histogram of the starts before it; the client subtracts what it saw earlier, so its bins must grow.

    Unlike TRex, ``average`` is the mean of the run and ``total_max`` includes the first frames.

    """
    errors = {
        "drp": counters.dropped,
        "ooo": counters.out_of_order,
        "dup": counters.duplicate,
        "sth": counters.sequence_high,
        "stl": counters.sequence_low,
    }
    entry: dict[str, Any] = {
        "lat": {
            "average": counters.sum_ns / counters.received / 1000 if counters.received else 0.0,
            "histogram": add_bins(past, trex_histogram(buckets)),
            "jit": int(counters.jitter_ns / 1000),
            "last_max": counters.last_maximum_ns // 1000,
            "total_max": counters.maximum_ns // 1000,
            "total_min": counters.minimum_ns // 1000,
        }
    }
    seen = {name: count for name, count in errors.items() if count}
    return entry | ({"er": seen} if seen else {})
