"""Reordering at a chosen load: a trial whose tagged stream is dense enough to be overtaken (RFC 4737, RFC 5236)."""

from __future__ import annotations

from lab.methods.latency import LoadPoint, tagged_rate_pps
from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import Measurer, ReorderingRecord, TrialRequest
from lab.methods.validity import disturbed
from lab.models import Model

SEARCH = "reordering"


class ReorderingPlan(Model):
    """What to measure, at one frame size.

    ``tagged_rate_pps`` of each direction decides what can be seen: frames a millisecond apart are never overtaken
    inside a router, frames a few microseconds apart are.
    """

    frame_size_bytes: int
    load: LoadPoint
    trial_duration_s: float
    tagged_rate_pps: float


class ReorderingAtLoad(Model):
    """Order of the tagged frames at one load.

    ``records`` has one record a direction, with its ``detail`` where the generator recorded each arrival: what figures
    of reorder density and of extents are drawn from. ``tagged_rate_pps`` is what was sent of tagged frames. Of the
    ``trials`` all but the ``invalid_trials`` counted, and the last is the one that is told of.
    """

    frame_size_bytes: int
    load: str
    rate_pps: float
    tagged_rate_pps: float
    records: tuple[ReorderingRecord, ...]
    disturbed: tuple[str, ...]
    trials: int
    invalid_trials: int


def measure(measurer: Measurer, plan: ReorderingPlan, conditions: Conditions) -> ReorderingAtLoad:
    """Measure the reordering at one load.

    Args:
        measurer: runs single trials; invalid ones are repeated here.
        plan: what to measure.
        conditions: of the run.

    Returns:
        One record a direction; none where the generator did not look at the order.

    Raises:
        TooDisturbed: the trial never counted.

    """
    trials = Trials(measurer, conditions, SEARCH, expected_s=plan.trial_duration_s + conditions.overhead_s)
    request = TrialRequest(
        frame_size_bytes=plan.frame_size_bytes,
        rate_pps=plan.load.rate_pps,
        duration_s=plan.trial_duration_s,
        tagged=True,
        tagged_rate_pps=tagged_rate_pps(plan.tagged_rate_pps, plan.load.rate_pps),
        order_detail=True,
    )
    result = trials.measure(request)
    return ReorderingAtLoad(
        frame_size_bytes=plan.frame_size_bytes,
        load=plan.load.name,
        rate_pps=plan.load.rate_pps,
        tagged_rate_pps=request.tagged_rate_pps,
        records=result.reordering,
        disturbed=disturbed(result, conditions.limits),
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
    )
