"""What a few measured values tell: intervals, effect size, chance, and whether they are of one kind.

Two samples are compared by ranks, which asks nothing of their distribution: the interval is the one that belongs to
the Mann-Whitney test, so it leaves 1 out just where the test tells the samples apart. What was measured in blocks
(A B B A) is resampled by blocks, because the values of a block are not independent.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from typing import Literal

import diptest
import numpy as np
import scipy  # its parts are loaded when first used: they take half a second
from numpy.typing import NDArray

from lab.models import Model

CONFIDENCE = 0.95
POWER = 0.8
RESAMPLES = 2000
_EXACT_UP_TO = 50  # values of a sample: beyond, the normal approximation of U is as good
_RANK_EFFICIENCY = 3 / np.pi  # of the Mann-Whitney test beside the t-test, where values are normal (Hodges, Lehmann)
_MANY = 100_000

Floats = NDArray[np.float64]


class Interval(Model):
    """Ends of an interval of 95 % confidence, in the unit of what it bounds."""

    low: float
    high: float


class RatioOfSamples(Model):
    """How the values of one sample compare with those of another, by ranks.

    Attributes:
        ratio: Hodges-Lehmann estimate: the median of all ratios of a value of the first to one of the second.
        interval: of the ratio, of at least 95 % confidence; None where no interval of so few values has it.
        p_value: of the Mann-Whitney test, two-sided: the chance of such a difference where there is none.
        effect: Cliff's delta, see :func:`cliffs_delta`.

    """

    ratio: float
    interval: Interval | None
    p_value: float
    effect: float


class Modes(Model):
    """Two kinds of values in one sample: ``low`` and ``high`` are their medians, ``share_high`` how many are high."""

    low: float
    high: float
    share_high: float
    p_value: float


def cliffs_delta(first: Sequence[float] | Floats, second: Sequence[float] | Floats) -> float:
    """Return the share of pairs with the first greater less that of those with the second greater (Cliff 1993).

    Args:
        first: at least one value.
        second: at least one value.

    Returns:
        From -1 (every value of the second is greater) over 0 to 1.

    """
    return float(np.sign(np.subtract.outer(np.asarray(first), np.asarray(second))).mean())


def bootstrap(count: int, statistic: Callable[[NDArray[np.intp]], Floats], seed: int = 1) -> Interval:
    """Return the percentile interval of a statistic (Efron 1979), resampling ``count`` things that are independent.

    Args:
        count: of the things: values, or blocks of values.
        statistic: told the numbers of the chosen things, one resample a row, returns one value a row; NaN where a
            resample has none.
        seed: the same things and seed give the same interval.

    Raises:
        ValueError: fewer than two things.

    """
    with warnings.catch_warnings(action="ignore"):  # of NaN, which is left out here
        found = scipy.stats.bootstrap(
            (np.arange(count),),
            lambda chosen, axis: statistic(np.atleast_2d(chosen)),
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method="percentile",
            vectorized=True,
            rng=np.random.default_rng(seed),
        )
    ends = np.nanquantile(found.bootstrap_distribution, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Interval(low=float(ends[0]), high=float(ends[1]))


def mean_ratio(logs: Floats) -> Interval:
    """Return the t interval of a ratio of which some values are known by their logarithms, two at least."""
    reach = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, logs.size - 1) * logs.std(ddof=1) / np.sqrt(logs.size)
    return Interval(low=float(np.exp(logs.mean() - reach)), high=float(np.exp(logs.mean() + reach)))


def compare_samples(first: Sequence[float], second: Sequence[float]) -> RatioOfSamples:
    """Compare two samples whose values are independent of each other, such as of repeated runs.

    The interval holds the true ratio where one side is the other times a factor.

    Args:
        first: at least one value, all above 0.
        second: the same.

    Raises:
        ValueError: a sample is empty, or a value is not above 0.

    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if not a.size or not b.size or min(a.min(), b.min()) <= 0:
        raise ValueError("a ratio takes values above 0 on both sides")
    ratios = np.sort(np.divide.outer(a, b), axis=None)
    depth = _rank_depth(a.size, b.size)
    interval = Interval(low=ratios[depth - 1], high=ratios[-depth]) if depth else None
    tied = np.unique(np.concatenate((a, b))).size < a.size + b.size
    method: Literal["asymptotic", "exact"] = "asymptotic" if tied or max(a.size, b.size) > _EXACT_UP_TO else "exact"
    p_value = float(scipy.stats.mannwhitneyu(a, b, method=method).pvalue)
    return RatioOfSamples(
        ratio=float(np.exp(np.median(np.log(ratios)))), interval=interval, p_value=p_value, effect=cliffs_delta(a, b)
    )


def two_modes(values: Sequence[float], significance: float = 0.05) -> Modes | None:
    """Say where the two modes of a sample are; None where it may well have one (Hartigan's dip test).

    Args:
        values: in any order; of fewer than ten nothing can be said.
        significance: the chance of seeing two modes where there is one.

    """
    sample = np.sort(np.asarray(values, dtype=float))
    if sample.size < 10 or sample[0] == sample[-1]:
        return None
    p_value = float(diptest.diptest(sample)[1])
    if p_value >= significance:
        return None
    at = _split(sample)
    return Modes(
        low=float(np.median(sample[:at])),
        high=float(np.median(sample[at:])),
        share_high=1 - at / sample.size,
        p_value=p_value,
    )


def values_needed(relative_sd: float, difference: float) -> int:
    """Return how many values of each side tell a difference with 95 % confidence in 80 % of the cases.

    That of the t-test of the logarithms (noncentral t), made larger by what a test of ranks takes more.

    Args:
        relative_sd: standard deviation of one side's values over their mean.
        difference: that is to be told, as a share: 0.02 for 2 %.

    Returns:
        At least four, with fewer no test of ranks can tell anything; at most 100,000.

    """
    effect = np.log1p(difference) / relative_sd if relative_sd > 0 else np.inf
    low, high = 2, 4
    while high < _MANY and _power(high, effect) < POWER:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(middle, effect) >= POWER else (middle, high)
    return max(4, min(_MANY, int(np.ceil(high / _RANK_EFFICIENCY))))


def relative_sd(samples: Sequence[Sequence[float]]) -> tuple[float, int] | None:
    """Return the spread that samples of different means share, and its degrees of freedom.

    Args:
        samples: values above 0; those of one value tell nothing.

    Returns:
        Standard deviation of the logarithms, which is that of the values over their mean where it is small; None
        where no sample has two values.

    """
    logs = [np.log(np.asarray(one, dtype=float)) for one in samples if len(one) > 1]
    freedom = sum(one.size - 1 for one in logs)
    if not freedom:
        return None
    return float(np.sqrt(sum(float(((one - one.mean()) ** 2).sum()) for one in logs) / freedom)), freedom


def _power(count: int, effect: float) -> float:
    """Return the power of the two-sided t-test of ``count`` values a side; ``effect`` is in standard deviations."""
    if np.isinf(effect):
        return 1.0
    freedom = 2 * count - 2
    critical = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom)
    return float(scipy.stats.nct.sf(critical, freedom, effect * np.sqrt(count / 2)))


@cache
def _rank_depth(first: int, second: int) -> int:
    """Return how many pairs are cut off at each end for 95 % confidence; 0 where even all of them have less.

    All arrangements of two samples of one distribution are alike in chance; the number of those with each U is a
    coefficient of the Gaussian binomial (Mann and Whitney 1947).
    """
    if max(first, second) > _EXACT_UP_TO:
        spread = np.sqrt(first * second * (first + second + 1) / 12)
        return max(0, int(first * second / 2 - scipy.stats.norm.ppf((1 + CONFIDENCE) / 2) * spread))
    counts = [1] + [0] * (first * second)
    for k in range(1, second + 1):
        for at in range(len(counts) - 1, first + k - 1, -1):  # times 1 - x^(first + k)
            counts[at] -= counts[at - first - k]
        for at in range(k, len(counts)):  # by 1 - x^k
            counts[at] += counts[at - k]
    below = list(accumulate(counts))
    return sum(2 * each <= (1 - CONFIDENCE) * below[-1] for each in below)


def _split(ordered: Floats) -> int:
    """Return where two groups part with the least sum of squares within them (exact 2-means in one dimension)."""
    sizes = np.arange(1, ordered.size)
    sums, squares = np.cumsum(ordered), np.cumsum(ordered**2)
    left = squares[:-1] - sums[:-1] ** 2 / sizes
    right = (squares[-1] - squares[:-1]) - (sums[-1] - sums[:-1]) ** 2 / (ordered.size - sizes)
    return int(np.argmin(left + right)) + 1
