"""What trials say of a load and of a goal: lower bound, upper bound, or nothing yet (RFC 9971).

This decides; which load is tried next and for how long (``mlr``) only decides how soon. So a result can be had again
from its trials, in whatever order a search made them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from lab.methods.goals import RateGoal
from lab.methods.trial import TrialResult
from lab.models import Model

Class = Literal["lower", "upper", "undecided"]


class Outcome(Model):
    """Of one trial what a classification needs: its load, how long it took, and the share of its frames lost."""

    rate_pps: float
    duration_s: float
    loss_ratio: float


def outcome(result: TrialResult) -> Outcome:
    """Return what a trial contributes to the classification of its load."""
    request = result.request
    return Outcome(rate_pps=request.rate_pps, duration_s=request.duration_s, loss_ratio=result.loss_ratio)


class Evidence(Model):
    """Sums of the durations of the trials at one load, for one goal (RFC 9971, "Load Classification Logic").

    A trial is full-length from the final trial duration of the goal on, and high-loss above its loss ratio.
    """

    full_low_s: float
    full_high_s: float
    short_low_s: float
    short_high_s: float

    def effective_high_s(self, goal: RateGoal) -> float:
        """Return the seconds of high loss; those of short trials count as far as low ones do not balance them."""
        balancing_s = self.short_low_s * goal.exceed_ratio / (1.0 - goal.exceed_ratio)
        return self.full_high_s + max(0.0, self.short_high_s - balancing_s)

    def effective_whole_s(self, goal: RateGoal) -> float:
        """Return the seconds that the exceed ratio refers to: at least the goal's duration sum."""
        return max(self.full_low_s + self.effective_high_s(goal), goal.duration_sum_s)


def evidence(outcomes: Iterable[Outcome], goal: RateGoal) -> Evidence:
    """Sum the durations of the trials of one load.

    Args:
        outcomes: of trials at one load, in any order; none gives sums of 0.
        goal: says which trials are full-length and which high-loss.

    """
    sums = {(True, False): 0.0, (True, True): 0.0, (False, False): 0.0, (False, True): 0.0}
    for one in outcomes:
        sums[one.duration_s >= goal.final_trial_s, one.loss_ratio > goal.loss_ratio] += one.duration_s
    return Evidence(
        full_low_s=sums[True, False],
        full_high_s=sums[True, True],
        short_low_s=sums[False, False],
        short_high_s=sums[False, True],
    )


def classify(outcomes: Iterable[Outcome], goal: RateGoal) -> Class:
    """Say what a load is for a goal (RFC 9971, appendix "Load Classification Code").

    Args:
        outcomes: of trials at one load, in any order.
        goal: to classify for.

    """
    summed = evidence(outcomes, goal)
    whole_s = summed.effective_whole_s(goal)
    quantile_s = whole_s * goal.exceed_ratio
    if whole_s - summed.full_low_s <= quantile_s:
        return "lower"
    return "undecided" if summed.effective_high_s(goal) <= quantile_s else "upper"


def quantile_loss_ratio(outcomes: Iterable[Outcome], goal: RateGoal) -> float:
    """Return the loss ratio of the trial that stands for a load (RFC 9971, appendix "Conditional Throughput Code").

    It is the quantile of the full-length trials that the exceed ratio names, the missing ones taken as total loss.

    Args:
        outcomes: of trials at one load, in any order.
        goal: names the quantile.

    Returns:
        From 0 to 1; times one less it, the load is the conditional throughput.

    """
    full = sorted((o for o in outcomes if o.duration_s >= goal.final_trial_s), key=lambda o: o.loss_ratio)
    remaining_s = max(goal.duration_sum_s, sum(o.duration_s for o in full)) * (1.0 - goal.exceed_ratio)
    found = None
    for one in full:
        if found is not None and remaining_s <= 0.0:
            return found
        found = one.loss_ratio
        remaining_s -= one.duration_s
    return 1.0 if found is None or remaining_s > 0.0 else found


def relevant_bounds(outcomes: Sequence[Outcome], goal: RateGoal) -> tuple[float | None, float | None]:
    """Return the relevant lower and upper bound (RFC 9971): the least upper bound, and the greatest lower one below it.

    A load that met the goal above one that did not is a fluke (loss inversion): the result is conservative.

    Args:
        outcomes: of all trials of a search.
        goal: to classify for.

    Returns:
        Intended loads in frames a second, each None where there is no such bound.

    """
    classes = {load: classify(at, goal) for load, at in by_load(outcomes).items()}
    upper_pps = min((load for load, what in classes.items() if what == "upper"), default=None)
    lowers = [load for load, what in classes.items() if what == "lower" and (upper_pps is None or load < upper_pps)]
    return max(lowers, default=None), upper_pps


def by_load(outcomes: Iterable[Outcome]) -> dict[float, list[Outcome]]:
    """Return the outcomes of each load, in frames a second."""
    found: dict[float, list[Outcome]] = {}
    for one in outcomes:
        found.setdefault(one.rate_pps, []).append(one)
    return found
