"""Throughput by plain binary search (RFC 2544 section 26.1): the greatest load without any loss."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from lab.methods.bounds import Bounds
from lab.methods.classification import Outcome, outcome
from lab.methods.remarks import remark
from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import Measurer, TrialRequest
from lab.models import Model

GOAL = "throughput"


class ThroughputPlan(Model):
    """What to search for. ``resolution_ratio`` is the width of the final bracket as a share of ``max_rate_pps``.

    The whole search is run ``repetitions`` times, to see whether it finds the same. With ``mix_bytes`` frames have
    these sizes in turn, and ``frame_size_bytes`` is their mean (``TrialRequest``).
    """

    frame_size_bytes: int
    max_rate_pps: float
    trial_duration_s: float
    resolution_ratio: float
    repetitions: int = 1
    mix_bytes: tuple[int, ...] = ()

    @property
    def expected_trials(self) -> int:
        """How many trials the undisturbed searches take: each the greatest load, the bisection, the confirmation."""
        return self.repetitions * (2 + math.ceil(math.log2(1.0 / self.resolution_ratio)))


@dataclass
class _Search:
    """One repetition: the greatest confirmed load without loss or 0, the least lossy load or more than the greatest."""

    loss_free: int = 0
    lossy: int = 0
    failed_confirmations: int = 0
    outcomes: list[Outcome] = field(default_factory=list)


def search(measurer: Measurer, plan: ThroughputPlan, conditions: Conditions) -> Bounds:
    """Find the throughput by bisection over whole frames a second, so that halving is exact.

    The greatest load is tried first. The load that is left at the end is measured once more: if it then loses
    frames it becomes the upper bound and the search goes on below, so a lower bound never showed a loss.

    Args:
        measurer: runs single trials; invalid ones are repeated here.
        plan: what to search for.
        conditions: of the run.

    Returns:
        The bounds; ``upper_pps`` is None when the greatest load was confirmed without loss.

    Raises:
        TooDisturbed: a trial never counted, or the test host alone may be why no load passed.

    """
    expected_s = plan.expected_trials * (plan.trial_duration_s + conditions.overhead_s)
    trials = Trials(measurer, conditions, GOAL, loss_ratios=(0.0,), expected_s=expected_s)
    top = int(plan.max_rate_pps)
    searches = [_bisect(trials, plan, top) for _ in range(plan.repetitions)]
    least = min(searches, key=lambda s: s.loss_free)
    trials.refuse_nothing(0.0, least.loss_free or None)
    return Bounds(
        goal=GOAL,
        frame_size_bytes=plan.frame_size_bytes,
        loss_ratio=0.0,
        lower_pps=least.loss_free or None,
        upper_pps=least.lossy if least.lossy <= top else None,
        upper_in_doubt=least.lossy <= top and trials.in_doubt(0.0, least.lossy),
        forwarding_pps=least.loss_free or None,
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
        repeated_pps=tuple(s.loss_free or None for s in searches) if plan.repetitions > 1 else (),
        failed_confirmations=sum(s.failed_confirmations for s in searches),
        remark=remark([o for s in searches for o in s.outcomes], 0.0, plan.resolution_ratio),
    )


def _bisect(trials: Trials, plan: ThroughputPlan, top: int) -> _Search:
    resolution = max(1, int(top * plan.resolution_ratio))
    passed = [0]  # loads without loss, ascending: what is left when a confirmation fails
    search = _Search(lossy=top + 1)
    load = top
    while True:
        result = trials.measure(_request(plan, load))
        search.outcomes.append(outcome(result))
        if result.lost_frames:
            search.failed_confirmations += load == passed[-1]
            search.lossy = load
            passed = [p for p in passed if p < load]
        elif load == passed[-1]:
            search.loss_free = load
            return search
        else:
            passed.append(load)
        if search.lossy - passed[-1] > resolution and search.lossy <= top:
            load = (passed[-1] + search.lossy) // 2
        elif passed[-1] == 0:
            return search
        else:
            load = passed[-1]


def _request(plan: ThroughputPlan, load: int) -> TrialRequest:
    return TrialRequest(
        frame_size_bytes=plan.frame_size_bytes,
        rate_pps=load,
        duration_s=plan.trial_duration_s,
        tagged=False,
        mix_bytes=plan.mix_bytes,
    )
