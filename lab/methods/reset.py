"""Reset (RFC 2544 section 26.6, RFC 6201): how long a DUT that is reset under load does not forward.

What a reset trial may show. The reset is meant, so that its traces are no reasons against the trial: a restart of the
DUT, a link that went down, a vCPU that was away, and whatever else the driver notes of the trial. What is judged anew
(lab.methods.validity) are the counts by which the time is computed: a generator that fell short, that sent nothing, a
surplus of frames, and counters that did not settle still make it invalid. Frames that the absent DUT did not take count
as sent and lost, so a link without a far side is no shortfall. A machine that boots beside a software generator makes
it late, though: the frames that it was too late for may have been lost or not, and the result is uncertain by them.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence

from lab.methods.meanwhile import Once, OnceMeasurer
from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import DirectionCount, LossTimes, Measurer, TrialRequest, TrialResult
from lab.models import Model

SEARCH = "reset"
_QUIET_SHARE = 0.05  # of the trial, at its end, that has to pass without loss

During = Callable[[Measurer, Callable[[], object], float], OnceMeasurer]
"""Makes a Measurer that does something once, so many seconds after frames began to flow."""


class ResetPlan(Model):
    """What to measure: RFC 2544 asks for frames of the least size at the rate of their throughput.

    ``kind`` is ``software``, ``hardware`` or ``power`` (RFC 6201 section 4), or what else the DUT offers. The trial of
    ``trial_duration_s`` has to last until the DUT has forwarded again for a while; ``rate_pps`` is summed over the
    directions. ``shortfall_ratio`` of the frames of a direction may be too late to be sent.
    """

    kind: str
    frame_size_bytes: int
    rate_pps: float
    trial_duration_s: float
    reset_after_s: float = 1.0
    repetitions: int = 1
    shortfall_ratio: float = 0.05


class ResetTrial(Model):
    """One reset, of the direction that was interrupted longest, by both ways of RFC 6201 section 1.3.

    ``by_loss_s``: its lost frames over the rate of its schedule; up to ``uncertain_s`` more, which is the time of the
    frames that the generator was too late to send. ``by_time_s``: how long its longest run of lost frames took to send,
    exact to ``frame_time_s``; None where the generator told no times, or not of all lost frames. Both are None where
    ``reason`` says that there is no result. ``exact`` is false where frames overtook each other. ``lost_frames`` are of
    all directions.
    """

    by_loss_s: float | None
    by_time_s: float | None
    uncertain_s: float
    frame_time_s: float
    lost_frames: int
    exact: bool
    source: str
    reason: str = ""


class ResetTime(Model):
    """Reset time of one kind, in seconds: averages over the repetitions by either way; None as ``reason`` says.

    ``uncertain_s`` is the greatest of the repetitions.
    """

    kind: str
    frame_size_bytes: int
    rate_pps: float
    trial_duration_s: float
    by_loss_s: float | None
    by_time_s: float | None
    uncertain_s: float
    repetitions: tuple[ResetTrial, ...]
    reason: str
    trials: int
    invalid_trials: int


def measure(
    measurer: Measurer,
    reset: Callable[[str], object],
    plan: ResetPlan,
    conditions: Conditions,
    during: During = Once,
) -> ResetTime:
    """Reset the DUT under load and measure how long frames are lost, as often as the plan says.

    Args:
        measurer: runs single trials, frames flowing as soon as it is asked (without what lab.methods.pacing puts
            before them); invalid ones are repeated here, with another reset each.
        reset: resets the DUT in the way that it is given (``plan.kind``), and returns when the DUT is ready for the
            next trial, or raises.
        plan: what to measure.
        conditions: of the run.
        during: has the reset done in a trial.

    Returns:
        The times of each repetition and their averages.

    Raises:
        TooDisturbed: a trial never counted.
        LabError: the lab failed, or the reset did.

    """
    resetting = during(measurer, lambda: reset(plan.kind), plan.reset_after_s)
    limits = conditions.limits.model_copy(
        update={"restart_asked": True, "shortfall_ratio": max(plan.shortfall_ratio, conditions.limits.shortfall_ratio)}
    )
    trials = Trials(
        resetting,
        dataclasses.replace(conditions, limits=limits),
        f"{SEARCH} ({plan.kind})",
        expected_s=plan.repetitions * (plan.trial_duration_s + conditions.overhead_s),
    )
    request = TrialRequest(
        frame_size_bytes=plan.frame_size_bytes, rate_pps=plan.rate_pps, duration_s=plan.trial_duration_s, tagged=False
    )
    found = [_reset_trial(trials.measure(request), plan, resetting.problem) for _ in range(plan.repetitions)]
    return ResetTime(
        kind=plan.kind,
        frame_size_bytes=plan.frame_size_bytes,
        rate_pps=plan.rate_pps,
        trial_duration_s=plan.trial_duration_s,
        by_loss_s=_average([one.by_loss_s for one in found]),
        by_time_s=_average([one.by_time_s for one in found]),
        uncertain_s=max(one.uncertain_s for one in found),
        repetitions=tuple(found),
        reason="; ".join(dict.fromkeys(one.reason for one in found if one.reason)),
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
    )


def _average(times_s: Sequence[float | None]) -> float | None:
    """Return the average; None where a repetition has no time."""
    known_s = [time_s for time_s in times_s if time_s is not None]
    return statistics.fmean(known_s) if known_s and len(known_s) == len(times_s) else None


def _reset_trial(result: TrialResult, plan: ResetPlan, problem: str) -> ResetTrial:
    """Return what a trial that counts says of the reset in it; ``problem`` is what was wrong with the reset."""
    worst = max((_direction(result, count) for count in result.directions), key=lambda one: one.by_loss_s or 0.0)
    still_lost = any(_lost_at_the_end(result, count, plan.reset_after_s) for count in result.directions)
    reason = problem
    if still_lost:
        reason = f"frames were still lost at the end of {result.duration_s:g} s: plan a longer trial"
    update: dict[str, object] = {"lost_frames": result.lost_frames, "reason": reason}
    if reason:
        update |= {"by_loss_s": None, "by_time_s": None}
    return worst.model_copy(update=update)


def _direction(result: TrialResult, count: DirectionCount) -> ResetTrial:
    lost = max(0, count.lost_frames)
    frame_time_s = result.duration_s / max(1, count.intended_frames)
    unsent = max(0, count.intended_frames - count.sent_frames)
    by_count = ResetTrial(
        by_loss_s=lost * frame_time_s,
        by_time_s=None,
        uncertain_s=unsent * frame_time_s,
        frame_time_s=frame_time_s,
        lost_frames=lost,
        exact=False,
        source="lost frames / rate",
    )
    times = _times(result, count)
    if times is None or times.lost_frames < lost:
        return by_count
    update = {"frame_time_s": times.frame_time_s, "exact": times.exact, "source": times.source}
    return by_count.model_copy(update={**update, "by_time_s": _longest_s(times)})


def _longest_s(times: LossTimes) -> float:
    """Return how long the longest run of lost frames took to send.

    Where all were lost in a row, the first and the last of them tell, whatever the generator was late for between them.
    """
    in_a_row = times.lost_frames == times.longest_frames
    if in_a_row and times.longest_at_s is not None and times.last_lost_at_s is not None:
        return times.last_lost_at_s - times.longest_at_s + times.frame_time_s
    return times.longest_frames * times.frame_time_s


def _lost_at_the_end(result: TrialResult, count: DirectionCount, after_s: float) -> bool:
    """Say whether a direction may still have been interrupted when the trial ended.

    It is the longest run of lost frames that must have ended: a frame that a pause of the host costs later is none of
    the reset's. Without times of loss nobody knows when frames were lost: all of them are then taken to have been lost
    in a row from the reset on.
    """
    quiet_from_s = (1.0 - _QUIET_SHARE) * result.duration_s
    times = _times(result, count)
    if times is not None and times.lost_frames >= count.lost_frames:
        ended_s = (times.longest_at_s or 0.0) + times.longest_frames * times.frame_time_s
        return times.longest_at_s is not None and ended_s > quiet_from_s
    interrupted_s = count.lost_frames / max(1, count.sent_frames) * result.duration_s
    return interrupted_s > 0 and after_s + interrupted_s > quiet_from_s


def _times(result: TrialResult, count: DirectionCount) -> LossTimes | None:
    key = (count.tx_port, count.rx_port)
    return next((t for t in result.loss_times if t.step == 0 and (t.tx_port, t.rx_port) == key), None)
