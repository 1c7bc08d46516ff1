"""NDR and PDR in one search by MLRsearch (RFC 9971), behind our own types."""

from __future__ import annotations

from MLRsearch import AbstractMeasurer, Config, GoalResult, MeasurementResult, MultipleLossRatioSearch, SearchGoal

from lab.errors import LabError
from lab.methods.bounds import Bounds
from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import Measurer, TrialRequest
from lab.models import Model

SEARCH = "NDR+PDR"
_LOWEST_SHARE = 0.001


class RateGoal(Model):
    """One goal of a search (RFC 9971 section 4.6): a load meets it when trials lose no more than ``loss_ratio``.

    At the end, of at least ``duration_sum_s`` seconds of trials of ``final_trial_s`` each at a load, at most the share
    ``exceed_ratio`` may lose more; the search begins with trials of ``initial_trial_s``. ``width_ratio`` is the
    relative width of the final bracket. An exceed ratio of 0 and a sum of one trial is the strict reading of RFC 2544.
    """

    name: str
    loss_ratio: float
    exceed_ratio: float = 0.5
    width_ratio: float = 0.005
    initial_trial_s: float = 1.0
    final_trial_s: float = 1.0
    duration_sum_s: float = 21.0
    preceding_targets: int = 2


class MlrPlan(Model):
    """What to search for, at one frame size."""

    frame_size_bytes: int
    max_rate_pps: float
    goals: tuple[RateGoal, ...]
    time_limit_s: float
    expected_s: float | None = None


class _Measurer(AbstractMeasurer):  # type: ignore[misc]  # the package publishes no types
    """Our trials as MLRsearch wants them: built from offered and lost counts only.

    The intended count is left out on purpose: the package would add unsent frames to the loss, and a generator's
    shortfall is never the DUT's (such trials are invalid and do not come here).
    """

    def __init__(self, trials: Trials, frame_size_bytes: int) -> None:
        self._trials = trials
        self._frame_size_bytes = frame_size_bytes

    def measure(self, intended_duration: float, intended_load: float) -> MeasurementResult:
        result = self._trials.measure(
            TrialRequest(
                frame_size_bytes=self._frame_size_bytes,
                rate_pps=intended_load,
                duration_s=intended_duration,
                tagged=False,
            )
        )
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
    by_goal = {_package_goal(goal): goal for goal in plan.goals}
    controller = MultipleLossRatioSearch(_config(plan, tuple(by_goal)))
    try:
        found = controller.search(_Measurer(trials, plan.frame_size_bytes), debug=lambda _text: None)
    except RuntimeError as error:
        raise LabError(
            f"{SEARCH} at {plan.frame_size_bytes} bytes: {error} ({len(trials.results)} trials, "
            f"limit {plan.time_limit_s:.0f} s)"
        ) from error
    return {ours.name: _bounds(ours, found[theirs], plan, trials) for theirs, ours in by_goal.items()}


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
        min_load=plan.max_rate_pps * _LOWEST_SHARE,
        max_load=plan.max_rate_pps,
        search_duration_max=plan.time_limit_s,
        warmup_duration=0.0,
    )


def _bounds(goal: RateGoal, found: GoalResult, plan: MlrPlan, trials: Trials) -> Bounds:
    lower, upper = found.relevant_lower_bound, found.relevant_upper_bound
    trials.refuse_nothing(goal.loss_ratio, None if lower is None else float(lower))
    forwarded = found.conditional_throughput
    return Bounds(
        goal=goal.name,
        frame_size_bytes=plan.frame_size_bytes,
        loss_ratio=goal.loss_ratio,
        lower_pps=None if lower is None else float(lower),
        upper_pps=None if upper is None else float(upper),
        upper_in_doubt=upper is not None and trials.in_doubt(goal.loss_ratio, float(upper)),
        forwarding_pps=None if forwarded is None else float(forwarded),
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
    )
