"""How likely a measurement is under a prediction of which 5, 50 and 95 % are known.

The logarithm of the rate has two half-normal sides that meet at the median (a two-piece lognormal): it goes through all
three points exactly, however lopsided they are. A kernel density over the draws would say little more and is worse
where it matters: draws pile up where a cap binds (line rate, PCIe), and there its bandwidth decides. And with three
points anybody can reckon a likelihood again from results.json.
"""

from __future__ import annotations

from math import log
from statistics import NormalDist

from lab.simulation.prediction.model import Band

RESOLUTION = 0.02
"""A search ends within about a percent, and a generator's ceiling is no sharper."""

SURPRISE = 0.05
"""Share of results that no prediction accounts for: it keeps every likelihood away from 0."""

_SURPRISE_WIDTH = log(1000.0)  # such a result lies anywhere within three decades, evenly on the logarithm
_STANDARD = NormalDist()
_Z_95 = _STANDARD.inv_cdf(0.95)
_NARROWEST = log(1 + RESOLUTION) / _Z_95  # standard deviation of a prediction that claims to be exact
_WIDEST = 1000.0  # a band that reaches down to 0 is taken as three decades wide


def share_below(band: Band, value: float) -> float:
    """Return the share of a prediction that lies below a value, 0 to 1.

    Args:
        band: 5, 50 and 95 %; its median above 0.
        value: in the unit of the band.

    """
    if value <= 0:
        return 0.0
    end = max(band.low, band.median / _WIDEST) if value < band.median else band.high
    sigma = max(abs(log(end / band.median)) / _Z_95, _NARROWEST)
    return _STANDARD.cdf(log(value / band.median) / sigma)


def likelihood(band: Band, low: float, high: float | None) -> float:
    """Return the probability of finding a value between two bounds.

    Args:
        band: what is predicted.
        low: lower bound of what was measured, above 0; both bounds are widened by the resolution.
        high: upper bound; None: at least ``low`` was found, and nobody knows how much more there was.

    """
    begin = low / (1 + RESOLUTION)
    if high is None:
        return (1 - SURPRISE) * (1 - share_below(band, begin)) + SURPRISE
    end = high * (1 + RESOLUTION)
    foreseen = share_below(band, end) - share_below(band, begin)
    return (1 - SURPRISE) * foreseen + SURPRISE * min(log(end / begin) / _SURPRISE_WIDTH, 1.0)


def holds(band: Band, low: float, high: float | None) -> bool:
    """Whether the 5 to 95 % of a prediction overlap the bounds of a measurement (as for `likelihood`)."""
    reaches = high is None or high * (1 + RESOLUTION) >= band.low
    return reaches and low / (1 + RESOLUTION) <= band.high
