"""Whether two sides differ: better, worse, no difference that matters, or not to be told yet, and what would tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import scipy  # its parts are loaded when first used: they take half a second

from lab.metrics.statistics import CONFIDENCE, Interval, cliffs_delta, compare_samples, relative_sd, values_needed
from lab.models import Model

Better = Literal["more", "less", "unknown"]
Verdict = Literal["better", "regression", "differs", "no difference", "cannot tell"]
MATTERS = 0.02
"""A smaller difference, as a share, is none that matters, unless it is asked for."""

_LEAST_VALUES = 4  # of each side: with fewer, no test of ranks reaches 95 % confidence
_LEAST_FREEDOM = 3  # degrees of freedom from which on a known spread is one


class Difference(Model):
    """How the second side compares with the first.

    Attributes:
        ratio: the second over the first; None where a value is 0.
        low: lower end of its interval, of 95 % confidence; None: nothing is known, or it is open.
        high: upper end; None likewise.
        effect: Cliff's delta, 1: every value of the second is greater than every one of the first.
        p_value: of the Mann-Whitney test; None where there is but one value.
        basis: what the interval is made of, in words.
        verdict: of the second side; ``differs`` where nobody knows whether more is better.
        more_values: of each side, that would tell the difference that matters in 80 % of the cases; None: none needed.

    """

    ratio: float | None
    low: float | None = None
    high: float | None = None
    effect: float
    p_value: float | None = None
    basis: str
    verdict: Verdict
    more_values: int | None = None


def tell(
    first: Sequence[float],
    second: Sequence[float],
    *,
    better: Better,
    matters: float = MATTERS,
    spread: tuple[float, int] | None = None,
    at_limit: tuple[bool, bool] = (False, False),
    confidence: float = CONFIDENCE,
) -> Difference:
    """Compare two sides by the values that each showed.

    With four values and more on each side by their ranks, as no distribution is known. With fewer by a spread that is
    known from elsewhere (t-test of the logarithms), if there is one. An interval within what matters on both sides of 1
    is no difference, whatever its p value is.

    Args:
        first: at least one value, 0 or more.
        second: the same.
        better: whether more or less of it is better.
        matters: the least difference that matters, as a share.
        spread: relative standard deviation of such values, and its degrees of freedom.
        at_limit: whether each side's values are only the greatest that could be asked for, and the truth may be more.
        confidence: of an interval by a known spread; greater where many comparisons are made at once.

    Raises:
        ValueError: a side has no value, or one below 0.

    """
    if not first or not second or min(*first, *second) < 0:
        raise ValueError("a comparison takes values of 0 or more on both sides")
    if not min(*first, *second):
        return _with_zero(first, second, better)
    if all(at_limit):
        return _both_at_limit(first, second, matters)
    found = compare_samples(second, first)
    ratio, interval = found.ratio, found.interval
    basis = f"by the ranks of {len(first)} and {len(second)}"
    if interval is None and spread and spread[1] >= _LEAST_FREEDOM:
        ratio, interval = _by_spread(first, second, *spread, confidence)
        basis = f"by the spread of {100 * spread[0]:.3g} % that is known"
    low, high = (interval.low, interval.high) if interval else (None, None)
    verdict = judged(interval, better=better, matters=matters, at_limit=at_limit)
    own = relative_sd([first, second])
    needed = values_needed(max(x[0] for x in (own, spread) if x), matters) if own or spread else _LEAST_VALUES
    return Difference(
        ratio=ratio,
        low=None if at_limit[0] else low,
        high=None if at_limit[1] else high,
        effect=found.effect,
        p_value=found.p_value if max(len(first), len(second)) > 1 else None,
        basis=basis if interval else "",
        verdict=verdict,
        more_values=max(1, needed - min(len(first), len(second))) if verdict == "cannot tell" else None,
    )


def judged(
    interval: Interval | None, *, better: Better, matters: float, at_limit: tuple[bool, bool] = (False, False)
) -> Verdict:
    """Judge by an interval of the second over the first; see :func:`tell` for what is given."""
    if interval is None:
        return "cannot tell"
    low, high = 0.0 if at_limit[0] else interval.low, np.inf if at_limit[1] else interval.high
    if 1 / (1 + matters) <= low and high <= 1 + matters:
        return "no difference"
    if low > 1:
        return _named(up=True, better=better)
    if high < 1:
        return _named(up=False, better=better)
    return "cannot tell"


def _named(*, up: bool, better: Better) -> Verdict:
    if better == "unknown":
        return "differs"
    return "better" if up == (better == "more") else "regression"


def _by_spread(
    first: Sequence[float], second: Sequence[float], sd: float, freedom: int, confidence: float
) -> tuple[float, Interval]:
    """Return the ratio of the geometric means, and its interval by the t distribution."""
    centre = float(np.mean(np.log(second)) - np.mean(np.log(first)))
    reach = scipy.stats.t.ppf((1 + confidence) / 2, freedom) * sd * np.sqrt(1 / len(first) + 1 / len(second))
    return float(np.exp(centre)), Interval(low=float(np.exp(centre - reach)), high=float(np.exp(centre + reach)))


def _both_at_limit(first: Sequence[float], second: Sequence[float], matters: float) -> Difference:
    """Compare where neither truth was seen: alike where the limits are (line rate), unknown where they are not."""
    alike = max(*first, *second) <= (1 + matters) * min(*first, *second)
    return Difference(
        ratio=float(np.median(second) / np.median(first)),
        effect=cliffs_delta(second, first),
        basis="each the greatest that could be asked for",
        verdict="no difference" if alike else "cannot tell",
    )


def _with_zero(first: Sequence[float], second: Sequence[float], better: Better) -> Difference:
    """Compare where a value is 0, as of losses: there is no ratio, but there are ranks."""
    if not max(*first, *second):
        return Difference(ratio=None, effect=0.0, basis="0 on both sides", verdict="no difference")
    # Both moved up by as much keep their ranks.
    found = compare_samples([value + 1.0 for value in second], [value + 1.0 for value in first])
    told = found.interval is not None and found.p_value <= 1 - CONFIDENCE
    few = min(len(first), len(second))
    return Difference(
        ratio=None,
        effect=found.effect,
        p_value=found.p_value if max(len(first), len(second)) > 1 else None,
        basis=f"by the ranks of {len(first)} and {len(second)}" if found.interval else "",
        verdict=_named(up=found.effect > 0, better=better) if told else "cannot tell",
        more_values=None if told else max(1, _LEAST_VALUES - few),
    )
