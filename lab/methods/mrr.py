"""MRR, maximum receive rate (FD.io CSIT): what arrives while the greatest load is offered, whatever is lost."""

from __future__ import annotations

import statistics

from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import Measurer, TrialRequest
from lab.methods.validity import disturbed
from lab.models import Model

SEARCH = "MRR"


class MrrPlan(Model):
    """What to measure, at one frame size or mix (``TrialRequest.mix_bytes``): at ``rate_pps``, ``repetitions`` times.

    ``rate_pps`` is the greatest load that there is, summed over the directions, and ``limited_by`` says what sets it.
    """

    frame_size_bytes: int
    rate_pps: float
    limited_by: str
    trial_duration_s: float = 1.0
    repetitions: int = 10
    mix_bytes: tuple[int, ...] = ()


class Mrr(Model):
    """The rates received, summed over the directions, in the order of the trials, and what they have in common.

    ``stdev_pps`` is that of a sample, 0 with a single trial. In ``disturbed_trials`` of them a polling core paused:
    some of what was lost there may be the test host's. ``trials`` includes the ``invalid_trials``.
    """

    frame_size_bytes: int
    rate_pps: float
    limited_by: str
    received_pps: tuple[float, ...]
    mean_pps: float
    stdev_pps: float
    loss_ratio: float
    disturbed_trials: int
    trials: int
    invalid_trials: int


def measure(measurer: Measurer, plan: MrrPlan, conditions: Conditions) -> Mrr:
    """Measure the maximum receive rate.

    Loss makes no trial invalid here: it is what is measured.

    Args:
        measurer: runs single trials; invalid ones are repeated here.
        plan: what to measure.
        conditions: of the run.

    Raises:
        TooDisturbed: a trial never counted.
        LabError: the lab failed.

    """
    expected_s = plan.repetitions * (plan.trial_duration_s + conditions.overhead_s)
    trials = Trials(measurer, conditions, SEARCH, expected_s=expected_s)
    request = TrialRequest(
        frame_size_bytes=plan.frame_size_bytes,
        rate_pps=plan.rate_pps,
        duration_s=plan.trial_duration_s,
        tagged=False,
        mix_bytes=plan.mix_bytes,
    )
    results = [trials.measure(request) for _ in range(plan.repetitions)]
    rates = tuple(result.received_pps for result in results)
    return Mrr(
        frame_size_bytes=plan.frame_size_bytes,
        rate_pps=plan.rate_pps,
        limited_by=plan.limited_by,
        received_pps=rates,
        mean_pps=statistics.fmean(rates),
        stdev_pps=statistics.stdev(rates) if len(rates) > 1 else 0.0,
        loss_ratio=statistics.fmean(result.loss_ratio for result in results),
        disturbed_trials=sum(bool(disturbed(result, conditions.limits)) for result in results),
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
    )
