"""System recovery (RFC 2544 section 26.5): how long a DUT goes on losing frames after an overload has ended."""

from __future__ import annotations

import statistics

from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import LoadStep, LossTimes, Measurer, StepCount, TrialRequest, TrialResult
from lab.methods.validity import ValidityLimits, disturbed
from lab.models import Model

SEARCH = "system recovery"
_OVERLOAD, _RELIEF = 0, 1  # the two loads of a trial
_QUIET_SHARE = 0.1  # of the second load, at its end, that has to pass without loss
BY_COUNT = "lost frames / rate"
_NOT_OVERLOADED = "the DUT lost nothing before the load fell: it was not overloaded"


class RecoveryPlan(Model):
    """What to measure, at one frame size.

    The overload is ``overload_ratio`` of the throughput, or ``max_rate_pps`` where that is less (``limited_by`` says
    what sets it), or where the DUT bears the first: its throughput was then found too low. The load after it is
    ``relief_ratio`` of the overload. Rates are summed over the directions.
    """

    frame_size_bytes: int
    throughput_pps: float
    max_rate_pps: float
    limited_by: str
    overload_s: float = 60.0
    relief_s: float = 60.0
    repetitions: int = 10
    overload_ratio: float = 1.1
    relief_ratio: float = 0.5

    @property
    def overload_pps(self) -> float:
        """The load that the DUT cannot bear, if it is above the throughput."""
        return min(self.overload_ratio * self.throughput_pps, self.max_rate_pps)

    @property
    def request(self) -> TrialRequest:
        """The trial of each repetition."""
        relief = LoadStep(rate_pps=self.relief_ratio * self.overload_pps, duration_s=self.relief_s)
        return TrialRequest(
            frame_size_bytes=self.frame_size_bytes,
            rate_pps=self.overload_pps,
            duration_s=self.overload_s,
            tagged=False,
            steps=(relief,),
        )


class Recovery(Model):
    """One repetition, of the direction that took longest.

    ``recovery_s`` is the time from the change of the load to the sending of the last frame that was lost, exact to
    ``frame_time_s``; 0 where ``lost_frames``, those after the change, are none; None where ``reason`` says why.
    ``overload_loss_ratio`` is what was lost before the change. ``exact`` is false where frames overtook each other or
    the time is a quotient of counts (``source``). ``in_doubt``: a pause of the test host may have lost the last frame
    that was lost, so that the true time is this or less.
    """

    recovery_s: float | None
    frame_time_s: float
    lost_frames: int
    overload_loss_ratio: float
    exact: bool
    in_doubt: bool
    source: str
    reason: str = ""


class SystemRecovery(Model):
    """Recovery time: the average over the repetitions, with the least and the greatest, in seconds.

    None where ``reason`` says why: no overload is possible, or no repetition has a time. ``limited_by`` is empty where
    the overload is as great as asked for and is one, else what kept it from being greater. ``in_doubt`` counts
    repetitions whose time pauses of the test host may have lengthened.
    """

    frame_size_bytes: int
    throughput_pps: float
    overload_pps: float
    overload_percent: float
    limited_by: str
    relief_pps: float
    overload_s: float
    relief_s: float
    recovery_s: float | None
    min_s: float | None
    max_s: float | None
    repetitions: tuple[Recovery, ...]
    in_doubt: int
    reason: str
    trials: int
    invalid_trials: int


def measure(measurer: Measurer, plan: RecoveryPlan, conditions: Conditions) -> SystemRecovery:
    """Measure the recovery time, as often as the plan says.

    A pause of the test host can only lengthen a recovery. A repetition that it may have lengthened is tried again, up
    to ``conditions.attempts`` times; if none is clear, the shortest is kept and marked, and the repetitions after it
    are tried once: the host will not be quieter for them.

    Args:
        measurer: runs single trials; invalid ones are repeated here.
        plan: what to measure.
        conditions: of the run.

    Returns:
        The average and each repetition; without any trial where the throughput leaves no room for an overload.

    Raises:
        TooDisturbed: a trial never counted.
        LabError: the lab failed.

    """
    trial_s = plan.overload_s + plan.relief_s + conditions.overhead_s
    trials = Trials(measurer, conditions, SEARCH, expected_s=plan.repetitions * trial_s)
    if plan.overload_pps <= plan.throughput_pps:
        return _result(plan, trials, [])
    found: list[Recovery] = []
    for _ in range(plan.repetitions):
        attempts = 1 if any(one.in_doubt for one in found) else conditions.attempts
        one = _repetition(trials, plan, conditions.limits, attempts)
        if not found and one.reason == _NOT_OVERLOADED and plan.overload_pps < plan.max_rate_pps:
            # Its throughput was found too low, as on a host that disturbs: the greatest load is the next best.
            plan = plan.model_copy(update={"overload_ratio": plan.max_rate_pps / plan.throughput_pps})
            one = _repetition(trials, plan, conditions.limits, attempts)
        found.append(one)
    return _result(plan, trials, found)


def _repetition(trials: Trials, plan: RecoveryPlan, limits: ValidityLimits, attempts: int) -> Recovery:
    doubtful: list[Recovery] = []
    for _ in range(attempts):
        found = recovery_of(trials.measure(plan.request), limits)
        if not found.in_doubt:
            return found
        doubtful.append(found)
    return min(doubtful, key=lambda one: (one.recovery_s is None, one.recovery_s))


def recovery_of(result: TrialResult, limits: ValidityLimits) -> Recovery:
    """Return what one trial says of the recovery.

    Args:
        result: of a trial that counts, with two loads.
        limits: what a pause of the test host has to exceed to matter.

    """
    steps = [_step(result, count) for count in result.steps if count.step == _RELIEF]
    sent = sum(count.sent_frames for count in result.steps if count.step == _OVERLOAD)
    lost = sum(max(0, count.lost_frames) for count in result.steps if count.step == _OVERLOAD)
    worst = max(steps, key=lambda one: (one.recovery_s is None, one.recovery_s or 0.0), default=_NOT_TOLD)
    reason = worst.reason
    if steps and not lost:
        reason = _NOT_OVERLOADED
    return worst.model_copy(
        update={
            "recovery_s": None if reason else worst.recovery_s,
            "lost_frames": sum(one.lost_frames for one in steps),
            "overload_loss_ratio": lost / sent if sent else 0.0,
            "exact": all(one.exact for one in steps),
            "in_doubt": any(one.lost_frames for one in steps) and bool(disturbed(result, limits)),
            "reason": reason,
        }
    )


_NOT_TOLD = Recovery(
    recovery_s=None,
    frame_time_s=0.0,
    lost_frames=0,
    overload_loss_ratio=0.0,
    exact=False,
    in_doubt=False,
    source="",
    reason="the generator does not tell under which load frames were lost",
)


def _step(result: TrialResult, count: StepCount) -> Recovery:
    """Return the recovery of one direction, by the times of loss where they cover all frames that were lost."""
    duration_s = result.request.steps[0].duration_s
    lost = max(0, count.lost_frames)
    times = _times(result, count)
    if times is not None and times.lost_frames >= lost:  # else some were lost at times that nobody knows
        last_s = times.last_lost_at_s if lost else None
        recovery_s, frame_time_s = last_s or 0.0, times.frame_time_s
        exact, source = lost == 0 or (times.exact and times.lost_frames == lost), times.source
    else:
        frame_time_s = duration_s / count.sent_frames if count.sent_frames else 0.0
        recovery_s, exact, source = lost * frame_time_s, lost == 0, BY_COUNT
    still = lost > 0 and recovery_s > (1.0 - _QUIET_SHARE) * duration_s
    reason = f"frames were still lost {duration_s:g} s after the overload: plan a longer time after it" if still else ""
    return Recovery(
        recovery_s=None if still else recovery_s,
        frame_time_s=frame_time_s,
        lost_frames=lost,
        overload_loss_ratio=0.0,
        exact=exact,
        in_doubt=False,
        source=source,
        reason=reason,
    )


def _times(result: TrialResult, count: StepCount) -> LossTimes | None:
    key = (count.step, count.tx_port, count.rx_port)
    return next((t for t in result.loss_times if (t.step, t.tx_port, t.rx_port) == key), None)


def _result(plan: RecoveryPlan, trials: Trials, found: list[Recovery]) -> SystemRecovery:
    times_s = [one.recovery_s for one in found if one.recovery_s is not None]
    reason = "; ".join(dict.fromkeys(one.reason for one in found if one.reason))
    if not found:
        reason = (
            f"no overload is possible: the greatest load is {plan.max_rate_pps:.0f} pps ({plan.limited_by}), and the "
            f"throughput {plan.throughput_pps:.0f} pps"
        )
    asked_pps = plan.overload_ratio * plan.throughput_pps
    complete = len(times_s) == len(found)
    not_enough = plan.overload_pps >= plan.max_rate_pps and any(one.reason == _NOT_OVERLOADED for one in found)
    return SystemRecovery(
        frame_size_bytes=plan.frame_size_bytes,
        throughput_pps=plan.throughput_pps,
        overload_pps=plan.overload_pps,
        overload_percent=100.0 * plan.overload_pps / plan.throughput_pps,
        limited_by=plan.limited_by if plan.overload_pps < asked_pps or not_enough else "",
        relief_pps=plan.relief_ratio * plan.overload_pps,
        overload_s=plan.overload_s,
        relief_s=plan.relief_s,
        recovery_s=statistics.fmean(times_s) if times_s and complete else None,
        min_s=min(times_s, default=None) if complete else None,
        max_s=max(times_s, default=None) if complete else None,
        repetitions=tuple(found),
        in_doubt=sum(one.in_doubt for one in found),
        reason=reason,
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
    )
