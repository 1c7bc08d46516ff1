"""NDR, PDR and other goals in one search by MLRsearch (RFC 9971), behind our own types.

The package only chooses the next trial. What the trials mean is computed from them by ``classification``.
"""

from __future__ import annotations

from MLRsearch import AbstractMeasurer, Config, MeasurementResult, MultipleLossRatioSearch, SearchGoal

from lab.errors import LabError
from lab.methods.bounds import Bounds
from lab.methods.classification import Outcome, outcome, quantile_loss_ratio, relevant_bounds
from lab.methods.goals import RateGoal
from lab.methods.remarks import remark
from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import Measurer, TrialRequest
from lab.models import Model

SEARCH = "NDR+PDR"
LOWEST_SHARE = 0.001
"""The least load that a search tries, of the greatest one."""


class MlrPlan(Model):
    """What to search for, at one frame size, or one mix of sizes with that mean (``TrialRequest.mix_bytes``)."""

    frame_size_bytes: int
    max_rate_pps: float
    goals: tuple[RateGoal, ...]
    time_limit_s: float
    expected_s: float | None = None
    mix_bytes: tuple[int, ...] = ()


class _Measurer(AbstractMeasurer):  # type: ignore[misc]  # the package publishes no types
    """Our trials as MLRsearch wants them: built from offered and lost counts only.

    The intended count is left out on purpose: the package would add unsent frames to the loss, and a generator's
    shortfall is never the DUT's (such trials are invalid and do not come here).
    """

    def __init__(self, trials: Trials, plan: MlrPlan) -> None:
        self._trials = trials
        self._plan = plan
        self.outcomes: list[Outcome] = []

    def measure(self, intended_duration: float, intended_load: float) -> MeasurementResult:
        result = self._trials.measure(
            TrialRequest(
                frame_size_bytes=self._plan.frame_size_bytes,
                rate_pps=intended_load,
                duration_s=intended_duration,
                tagged=False,
                mix_bytes=self._plan.mix_bytes,
            )
        )
        self.outcomes.append(outcome(result))
        return MeasurementResult(
            intended_duration=intended_duration,
            intended_load=intended_load,
            offered_count=result.sent_frames,
            loss_count=result.lost_frames,
        )


def search(measurer: Measurer, plan: MlrPlan, conditions: Conditions) -> dict[str, Bounds]:
    """Search for all goals at once.

    Args:
        measurer: runs single trials; invalid ones are repeated here.
        plan: what to search for.
        conditions: of the run.

    Returns:
        The bounds of each goal by its name.

    Raises:
        TooDisturbed: a trial never counted, or the test host alone may be why no load met a goal.
        LabError: the search took longer than its time limit.

    """
    ratios = tuple(sorted({goal.loss_ratio for goal in plan.goals}))
    trials = Trials(measurer, conditions, SEARCH, loss_ratios=ratios, expected_s=plan.expected_s)
    controller = MultipleLossRatioSearch(_config(plan, tuple(_package_goal(goal) for goal in plan.goals)))
    watched = _Measurer(trials, plan)
    try:
        controller.search(watched, debug=lambda _text: None)
    except RuntimeError as error:
        raise LabError(
            f"{SEARCH} at {plan.frame_size_bytes} bytes: {error} ({len(trials.results)} trials, "
            f"limit {plan.time_limit_s:.0f} s)"
        ) from error
    return {goal.name: _bounds(goal, watched.outcomes, plan, trials) for goal in plan.goals}


def _package_goal(goal: RateGoal) -> SearchGoal:
    return SearchGoal(
        loss_ratio=goal.loss_ratio,
        exceed_ratio=goal.exceed_ratio,
        relative_width=goal.width_ratio,
        initial_trial_duration=goal.initial_trial_s,
        final_trial_duration=goal.final_trial_s,
        duration_sum=goal.duration_sum_s,
        preceding_targets=goal.preceding_targets,
        expansion_coefficient=2,
        fail_fast=False,
    )


def _config(plan: MlrPlan, goals: tuple[SearchGoal, ...]) -> Config:
    return Config(
        goals=goals,
        min_load=plan.max_rate_pps * LOWEST_SHARE,
        max_load=plan.max_rate_pps,
        search_duration_max=plan.time_limit_s,
        warmup_duration=0.0,
    )


def _bounds(goal: RateGoal, outcomes: list[Outcome], plan: MlrPlan, trials: Trials) -> Bounds:
    lower_pps, upper_pps = relevant_bounds(outcomes, goal)
    trials.refuse_nothing(goal.loss_ratio, lower_pps)
    forwarding_pps = None
    if lower_pps is not None:
        forwarding_pps = lower_pps * (1.0 - quantile_loss_ratio((o for o in outcomes if o.rate_pps == lower_pps), goal))
    return Bounds(
        goal=goal.name,
        frame_size_bytes=plan.frame_size_bytes,
        loss_ratio=goal.loss_ratio,
        lower_pps=lower_pps,
        upper_pps=upper_pps,
        upper_in_doubt=trials.in_doubt(goal.loss_ratio, upper_pps),
        forwarding_pps=forwarding_pps,
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
        remark=remark(outcomes, goal.loss_ratio, goal.width_ratio, goal.exceed_ratio),
    )
