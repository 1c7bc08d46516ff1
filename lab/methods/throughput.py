"""Throughput by plain binary search (RFC 2544 section 26.1): the greatest load without any loss."""

from __future__ import annotations

import math

from lab.methods.bounds import Bounds
from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import Measurer, TrialRequest
from lab.models import Model

GOAL = "throughput"


class ThroughputPlan(Model):
    """What to search for. ``resolution_ratio`` is the width of the final bracket as a share of ``max_rate_pps``."""

    frame_size_bytes: int
    max_rate_pps: float
    trial_duration_s: float
    resolution_ratio: float

    @property
    def expected_trials(self) -> int:
        """How many trials an undisturbed search takes: the greatest load, the bisection, the confirmation."""
        return 2 + math.ceil(math.log2(1.0 / self.resolution_ratio))


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
    resolution = max(1, int(top * plan.resolution_ratio))
    loss_free, lossy = _bisect(trials, plan, top, resolution)
    trials.refuse_nothing(0.0, loss_free or None)
    return Bounds(
        goal=GOAL,
        frame_size_bytes=plan.frame_size_bytes,
        loss_ratio=0.0,
        lower_pps=loss_free or None,
        upper_pps=lossy if lossy <= top else None,
        upper_in_doubt=lossy <= top and trials.in_doubt(0.0, lossy),
        forwarding_pps=loss_free or None,
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
    )


def _bisect(trials: Trials, plan: ThroughputPlan, top: int, resolution: int) -> tuple[int, int]:
    """Return (greatest confirmed load without loss or 0, least load with loss or more than ``top``)."""
    passed = [0]  # loads without loss, ascending: what is left when a confirmation fails
    lossy = top + 1
    load = top
    while True:
        if trials.measure(_request(plan, load)).lost_frames:
            lossy = load
            passed = [p for p in passed if p < lossy]
        elif load == passed[-1]:
            return load, lossy
        else:
            passed.append(load)
        if lossy - passed[-1] > resolution and lossy <= top:
            load = (passed[-1] + lossy) // 2
        elif passed[-1] == 0:
            return 0, lossy
        else:
            load = passed[-1]


def _request(plan: ThroughputPlan, load: int) -> TrialRequest:
    return TrialRequest(
        frame_size_bytes=plan.frame_size_bytes, rate_pps=load, duration_s=plan.trial_duration_s, tagged=False
    )
