"""Jitter: how much the delay of a direction varies, over the trials of one load (RFC 3393, RFC 5481)."""

from __future__ import annotations

from collections.abc import Sequence

from lab.methods.trial import DelayVariation, LatencyRecord
from lab.metrics.latency import PERCENTILES, distribution, merge
from lab.models import Model


class InterPacketVariation(Model):
    """Of two frames in a row that both arrived, the delay of the second less that of the first, in microseconds.

    This is IPDV (RFC 3393; RFC 5481 section 4.1). ``min_us`` and ``max_us`` are the signed extremes,
    ``mean_abs_us`` and ``percentiles_us`` are of the absolute value; a percentile is None where fewer than ten samples
    lie beyond it. ``samples`` counts pairs: the first frame of each trial, and one after a lost one, has no such value.
    """

    samples: int
    min_us: float
    max_us: float
    mean_abs_us: float
    percentiles_us: dict[str, float | None]


class Jitter(Model):
    """Variation of the delay of one direction at one load, in microseconds.

    ``pdv_percentiles_us`` and ``pdv_max_us`` are of each delay less the least one of all trials (PDV, RFC 5481 section
    4.2; percentiles None where fewer than ten samples lie beyond). ``ipdv`` is None where the generator gave single
    delays only.
    """

    samples: int
    pdv_percentiles_us: dict[str, float | None]
    pdv_max_us: float
    ipdv: InterPacketVariation | None


def jitter(records: Sequence[LatencyRecord]) -> Jitter | None:
    """Merge the delays and delay variations of several trials of the same direction and load.

    ``lab/methods/latency.py`` calls it with the very records that it gives to ``lab.metrics.latency.merge``.

    Args:
        records: of one direction and load.

    Returns:
        Their jitter; None when no frame arrived. ``ipdv`` is of those trials that have it.

    Raises:
        ValueError: a histogram cannot be decoded, or holds another number of samples than its record says.

    """
    delays = merge(records)
    if delays.count == 0:
        return None
    return Jitter(
        samples=delays.count,
        pdv_percentiles_us={f"{p:g}": delays.variation_us(p) for p in PERCENTILES},
        pdv_max_us=(delays.max_ns - delays.min_ns) / 1000.0,
        ipdv=_inter_packet([r.variation for r in records if r.variation is not None and r.variation.count]),
    )


def _inter_packet(variations: Sequence[DelayVariation]) -> InterPacketVariation | None:
    if not variations:
        return None
    least_ns, greatest_ns = min(v.min_ns for v in variations), max(v.max_ns for v in variations)
    merged = distribution(
        [(v.hdr, v.count) for v in variations],
        "histogram of the delay variation",
        min_ns=0,
        max_ns=max(abs(least_ns), abs(greatest_ns)),
        sum_ns=sum(v.mean_abs_ns * v.count for v in variations),
    )
    return InterPacketVariation(
        samples=merged.count,
        min_us=least_ns / 1000.0,
        max_us=greatest_ns / 1000.0,
        mean_abs_us=merged.mean_ns / 1000.0,
        percentiles_us=merged.percentiles_us(),
    )
