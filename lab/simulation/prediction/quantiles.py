"""5, 50 and 95 % of draws, so that the truth lies between the outer two with 90 % probability."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from lab.simulation.prediction.model import Band
from lab.simulation.prediction.sample import Sample

SHARES = (0.05, 0.5, 0.95)
STRATA = 99  # of the model's error, for each draw
ERRORS = tuple(NormalDist().inv_cdf((i + 0.5) / STRATA) for i in range(STRATA))


def band(values: Sequence[float], draws: int | None = None) -> Band:
    """Return the band of values that are equally likely.

    The quantiles are predictive: the i-th of n draws is the i / (n + 1) quantile (Weibull), which one
    more draw exceeds with just that probability. Quantiles of the draws themselves would be too narrow: of 40 they
    hold the next one in 86 %, not in 90 %.

    Args:
        values: at least one.
        draws: how many of them are independent, where each stands for several; None: all.

    """
    count = len(values)
    number = count if draws is None else draws
    position = ((np.arange(count) + 0.5) / count * number + 0.5) / (number + 1)
    low, median, high = (float(q) for q in np.interp(SHARES, position, np.sort(np.asarray(values, dtype=float))))
    return Band(low=low, median=median, high=high)


def rate_band(samples: Sequence[Sample], log_error: float) -> Band:
    """Return the band of the rate, widened by the errors that the model was seen to make.

    Each draw stands for a lognormal distribution of what its cores do; none exceeds the draw's cap.

    Args:
        samples: of one question.
        log_error: standard deviation of the logarithm of measured over predicted; 0 where it is not known.

    """
    if log_error <= 0:
        return band([each.rate_pps for each in samples])
    rates_pps = [
        min(each.capacity_pps * float(np.exp(log_error * error)), each.cap_pps) for each in samples for error in ERRORS
    ]
    return band(rates_pps, len(samples))
