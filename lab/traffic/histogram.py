"""TRex's coarse latency histogram as an HdrHistogram."""

from __future__ import annotations

from collections.abc import Mapping

from hdrh.histogram import HdrHistogram

LOWEST_NS = 1
HIGHEST_NS = 10_000_000_000
DIGITS = 3


def from_trex(buckets_us: Mapping[str | int, int]) -> tuple[int, str]:
    """Convert TRex's histogram, whose bins start at 0, 10..90, 100..900, ... microseconds.

    A sample is entered at the lower end of its bin, as TRex's own client shows it; the bins are so wide (up to 100 %)
    that percentiles made of them are coarse, which is why their source is named in the result.

    Args:
        buckets_us: lower end of a bin in microseconds -> samples.

    Returns:
        The number of samples and the histogram (V2, base64, unit 1 ns).

    """
    histogram = HdrHistogram(LOWEST_NS, HIGHEST_NS, DIGITS)
    total = 0
    for start_us, samples in buckets_us.items():
        histogram.record_value(max(LOWEST_NS, int(start_us) * 1000), samples)
        total += samples
    return total, histogram.encode().decode()
