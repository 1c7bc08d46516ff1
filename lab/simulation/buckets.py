"""Buckets of a latency histogram: single picoseconds at first, then 64 of equal width to each power of two.

So no bucket from 64 ps on is wider than a 64th (1.6 %) of what it holds. kernel/buckets.h has the same rule.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

BUCKETS = 3520
"""Enough for everything below ``scene.NEVER``."""
_BITS = 6
_SIDE = 1 << _BITS


def bucket_of_ps(latency_ps: int) -> int:
    """Return the bucket of a latency.

    Raises:
        ValueError: the latency is below zero, or no simulation can last as long.

    """
    shift = max(latency_ps.bit_length() - 1 - _BITS, 0)
    bucket = shift * _SIDE + (latency_ps >> shift)
    if latency_ps < 0 or bucket >= BUCKETS:
        raise ValueError(f"latency {latency_ps} ps: must be 0 or more, and below 2**60")
    return bucket


def ps_of_bucket(bucket: int) -> int:
    """Return the middle of a bucket in picoseconds.

    Raises:
        ValueError: there is no such bucket.

    """
    if not 0 <= bucket < BUCKETS:
        raise ValueError(f"bucket {bucket}: there are 0 to {BUCKETS - 1}")
    shift = max(bucket // _SIDE - 1, 0)
    return ((bucket - shift * _SIDE) << shift) + ((1 << shift) - 1) // 2


def percentile(counts: Sequence[int], share: float) -> int | None:
    """Return the latency in picoseconds that ``share`` (0 to 1) of the samples do not exceed: nearest rank.

    Args:
        counts: samples in each bucket (``Outcome.latency_counts``, or the sum of several).
        share: 0.99 for the 99th percentile; 0 for the lowest sample.

    Returns:
        The middle of the bucket, or None where there are no samples.

    Raises:
        ValueError: share is not between 0 and 1.

    """
    if not 0 <= share <= 1:
        raise ValueError(f"share {share}: must be between 0 and 1")
    left = max(math.ceil(share * sum(counts)), 1)
    for bucket, count in enumerate(counts):
        left -= count
        if left <= 0:
            return ps_of_bucket(bucket)
    return None
