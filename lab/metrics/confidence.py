"""What a number of chunks of traffic says of the loss to come: bounds that hold at a stated confidence.

Losses come in bursts, so frames are no independent draws: a bound by frames would be far too narrow. Chunks of traffic
(a second each) nearly are, and all bounds here are by chunk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import scipy  # its parts are loaded when first used: they take half a second


def share_upper(count: int, of: int, confidence: float) -> float:
    """Return the upper bound of a share of which ``count`` were seen in ``of`` draws (Clopper and Pearson 1934).

    Exact and one-sided: with the confidence given the true share is no greater. 1 where nothing was drawn.
    """
    return 1.0 if count >= of else float(scipy.stats.beta.ppf(confidence, count + 1, of - count))


def share_lower(count: int, of: int, confidence: float) -> float:
    """Return the lower bound of a share, as ``share_upper``; 0 where none was seen."""
    return 0.0 if count == 0 else float(scipy.stats.beta.ppf(1.0 - confidence, count, of - count + 1))


def mean_upper(values: Sequence[float], largest: float, confidence: float) -> float:
    """Return the upper bound of the mean of values that are mostly 0 and else of any size (Fay and Feuer 1997).

    A value above 0 is an event with that weight, and events come at random. The bound is that of a weighted sum of
    Poisson counts with the gamma distribution; where all weights are equal it is exact (Garwood 1936), else it errs on
    the safe side. It takes the next event to be as large as the largest one.

    Args:
        values: at least one, none negative.
        largest: an event that must be reckoned with though none was seen; a larger one that was seen takes its place.
        confidence: from 0 to 1, one-sided.

    """
    weight = max(largest, *values) / len(values)
    mean = sum(values) / len(values) + weight
    variance = sum(v * v for v in values) / len(values) ** 2 + weight * weight
    return _gamma(mean, variance, confidence)


def mean_lower(values: Sequence[float], confidence: float) -> float:
    """Return the lower bound of the mean, as ``mean_upper``; 0 where all values are 0."""
    mean = sum(values) / len(values)
    variance = sum(v * v for v in values) / len(values) ** 2
    return _gamma(mean, variance, 1.0 - confidence) if mean > 0 else 0.0


def _gamma(mean: float, variance: float, quantile: float) -> float:
    return float(scipy.stats.gamma.ppf(quantile, mean * mean / variance, scale=variance / mean))


def proved_below(count: int, of: int, share: float, confidence: float) -> bool:
    """Say whether draws prove that the true share is below ``share``, however often one looks.

    The evidence is the likelihood of what was drawn, averaged over all shares below, against that at ``share``. It
    exceeds 1 / (1 - confidence) at any time with a chance of at most 1 - confidence where the claim is wrong (Ville
    1939), so that to stop when it does is no cheating. Bounds made for one look (``share_upper``) would be.
    """
    return _log_evidence(count, of, share, below=True) >= -math.log(1.0 - confidence)


def proved_above(count: int, of: int, share: float, confidence: float) -> bool:
    """Say whether draws prove that the true share is above ``share``, as ``proved_below``."""
    return _log_evidence(count, of, share, below=False) >= -math.log(1.0 - confidence)


@lru_cache(maxsize=1 << 14)
def _log_evidence(count: int, of: int, share: float, *, below: bool) -> float:
    hits, misses = count + 1.0, of - count + 1.0
    part = float(scipy.special.betainc(hits, misses, share) if below else scipy.special.betaincc(hits, misses, share))
    if part <= 0.0:
        return -math.inf
    averaged = math.log(part) + float(scipy.special.betaln(hits, misses)) - math.log(share if below else 1.0 - share)
    return averaged - count * math.log(share) - (of - count) * math.log1p(-share)
