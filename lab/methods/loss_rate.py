"""Frame loss rate (RFC 2544 section 26.3): loss at falling loads, until two loads in a row lose nothing."""

from __future__ import annotations

from pydantic import Field

from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import Measurer, TrialRequest, TrialResult
from lab.methods.validity import ValidityLimits, disturbed, explained_frames
from lab.models import Model

SEARCH = "frame loss rate"
_WITHOUT_LOSS = 2  # loads in a row after which the curve is complete


class LossRatePlan(Model):
    """What to measure, at one frame size.

    ``max_rate_pps`` is the 100 % of the curve, summed over the directions, and ``limited_by`` says what sets it (see
    LoadLimit); ``line_rate_pps`` is that of the links. Loads fall by ``step_ratio`` of it, at most a tenth.
    """

    frame_size_bytes: int
    max_rate_pps: float = Field(gt=0)
    line_rate_pps: float
    limited_by: str
    trial_duration_s: float
    step_ratio: float = Field(default=0.1, gt=0.0, le=0.1)

    @property
    def shares(self) -> tuple[float, ...]:
        """The loads as shares of the greatest one, falling, all above 0."""
        return tuple(1.0 - i * self.step_ratio for i in range(int(1.0 / self.step_ratio + 0.999999)))


class LossPoint(Model):
    """Loss at one load.

    ``percent`` is of the greatest load of the plan and ``line_percent`` of line rate. ``loss_ratio`` is None where no
    trial counted, and ``reason`` then says why. ``least_loss_ratio`` is what the DUT lost at the least: the same but
    for the frames that pauses of the test host may have cost.
    """

    percent: float
    line_percent: float
    rate_pps: float
    valid: bool
    loss_ratio: float | None
    least_loss_ratio: float | None
    disturbed: bool
    reason: str = ""


class LossCurve(Model):
    """Frame loss rate against load, from the greatest load down.

    ``complete`` says that the last two loads lost nothing; without it every load down to the least lost frames.
    ``limited_by`` says what the 100 % are: ``line rate``, ``generator ceiling`` ... ``trials`` includes the
    ``invalid_trials``.
    """

    frame_size_bytes: int
    max_rate_pps: float
    limited_by: str
    trial_duration_s: float
    points: tuple[LossPoint, ...]
    complete: bool
    trials: int
    invalid_trials: int


def measure(measurer: Measurer, plan: LossRatePlan, conditions: Conditions) -> LossCurve:
    """Measure the loss at loads that fall from the greatest one until two in a row lose nothing.

    Args:
        measurer: runs single trials; invalid ones are repeated here.
        plan: what to measure.
        conditions: of the run.

    Returns:
        The curve. A load at which pauses of the test host explain the loss in every attempt has no loss ratio, and is
        no load without loss either.

    Raises:
        TooDisturbed: a trial never counted, for another reason than such a doubt.
        LabError: the lab failed.

    """
    expected_s = len(plan.shares) * (plan.trial_duration_s + conditions.overhead_s)
    trials = Trials(measurer, conditions, SEARCH, loss_ratios=(0.0,), expected_s=expected_s)
    points: list[LossPoint] = []
    complete = False
    for share in plan.shares:
        points.append(_point(trials.measure(_request(plan, share)), share, plan, conditions.limits))
        complete = [p.loss_ratio for p in points[-_WITHOUT_LOSS:]] == [0.0] * _WITHOUT_LOSS
        if complete:
            break
    return LossCurve(
        frame_size_bytes=plan.frame_size_bytes,
        max_rate_pps=plan.max_rate_pps,
        limited_by=plan.limited_by,
        trial_duration_s=plan.trial_duration_s,
        points=tuple(points),
        complete=complete,
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
    )


def _request(plan: LossRatePlan, share: float) -> TrialRequest:
    return TrialRequest(
        frame_size_bytes=plan.frame_size_bytes,
        rate_pps=share * plan.max_rate_pps,
        duration_s=plan.trial_duration_s,
        tagged=False,
    )


def _point(result: TrialResult, share: float, plan: LossRatePlan, limits: ValidityLimits) -> LossPoint:
    """Return what a trial says of its load; one that does not count says nothing but why."""
    valid = not result.invalid
    own_frames = max(0.0, result.lost_frames - explained_frames(result, limits))
    return LossPoint(
        percent=round(100.0 * share, 6),
        line_percent=100.0 * share * plan.max_rate_pps / plan.line_rate_pps,
        rate_pps=result.request.rate_pps,
        valid=valid,
        loss_ratio=result.loss_ratio if valid else None,
        least_loss_ratio=own_frames / result.sent_frames if valid else None,
        disturbed=bool(disturbed(result, limits)),
        reason="; ".join(result.invalid),
    )
