"""Back-to-back frames (RFC 2544 section 26.4, updated by RFC 9004): the longest burst without loss."""

from __future__ import annotations

import math
import statistics

from pydantic import Field

from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import Measurer, burst
from lab.models import Model

SEARCH = "back-to-back"
_TRIALS_AGAIN = 3  # of a search that begins at the result of the one before, on a DUT that varies little
NO_LIMIT = "as long as was tried"


class BackToBackPlan(Model):
    """What to search for, at one frame size.

    Bursts are sent at ``burst_rate_pps``, summed over the ``directions`` that carry traffic; the RFC's is line rate.
    No burst takes longer than ``max_burst_s``, and a search ends when the longest burst without loss and the shortest
    with loss are ``step_frames`` apart. ``throughput_pps`` is that of RFC 2544 section 26.1, summed; None where there
    is none.
    """

    frame_size_bytes: int
    burst_rate_pps: float = Field(gt=0)
    line_rate_pps: float
    directions: int = 2
    max_burst_s: float = 2.0
    step_frames: int = Field(default=1, ge=1)
    repetitions: int = Field(default=50, ge=1)
    throughput_pps: float | None = None

    @property
    def longest_frames(self) -> int:
        """Frames of the longest burst of each direction that is tried."""
        return max(self.step_frames, int(self.max_burst_s * self.burst_rate_pps / self.directions))

    @property
    def expected_trials(self) -> int:
        """How many trials undisturbed searches take on a DUT that varies little."""
        return 2 + math.ceil(math.log2(self.longest_frames)) + (self.repetitions - 1) * _TRIALS_AGAIN


class BackToBack(Model):
    """Longest bursts without loss, in frames of each direction, one of each repetition, and what they say of buffers.

    ``burst_frames`` is their average (the benchmark), ``std_frames`` their standard deviation (None of a single one).
    ``unlimited`` of them passed the longest burst that was tried: then the average is a lower bound, ``limit`` says
    so, and there is no buffer time. ``in_doubt`` says that pauses of the test host explain the loss of a burst in every
    attempt, so that an undisturbed host might find more.

    ``implied_buffer_s`` is the average burst over the burst rate, ``corrected_buffer_s`` the same less what the DUT
    forwards meanwhile at its throughput (RFC 9004 section 6.4), and ``buffer_frames`` the frames of each direction
    that it holds for so long. They are None where ``reason`` says why.
    """

    frame_size_bytes: int
    burst_rate_pps: float
    line_rate_pps: float
    throughput_pps: float | None
    longest_tried_frames: int
    step_frames: int
    bursts_frames: tuple[int, ...]
    burst_frames: float
    min_frames: int
    max_frames: int
    std_frames: float | None
    unlimited: int
    limit: str
    in_doubt: bool
    implied_buffer_s: float | None
    corrected_buffer_s: float | None
    buffer_frames: float | None
    reason: str
    trials: int
    invalid_trials: int


def measure(measurer: Measurer, plan: BackToBackPlan, conditions: Conditions) -> BackToBack:
    """Search the longest burst without loss by bisection, as often as the plan says.

    Each search finds its own two bounds. The first one bisects between nothing and the longest burst; the others begin
    at what the one before found, which saves trials and decides nothing. A DUT that passes the longest burst twice is
    not asked again.

    Args:
        measurer: runs single trials, with a pause after each in which buffers empty: RFC 9004 section 6.2 asks for 2 s
            (see lab.methods.pacing). Invalid ones are repeated here.
        plan: what to search for.
        conditions: of the run.

    Returns:
        The bursts and the buffer times.

    Raises:
        TooDisturbed: a trial never counted, or the test host alone may be why not even the least burst passed.
        LabError: the lab failed.

    """
    expected_s = 2 * plan.max_burst_s + plan.expected_trials * conditions.overhead_s
    trials = Trials(measurer, conditions, SEARCH, loss_ratios=(0.0,), expected_s=expected_s)
    bursts = _Bursts(trials, plan)
    found = [bursts.first()]
    if found[0] < plan.longest_frames:
        while len(found) < plan.repetitions:
            found.append(bursts.again(found[-1]))
    trials.refuse_nothing(0.0, max(found) or None)
    return _result(plan, trials, found, in_doubt=bursts.in_doubt)


class _Bursts:
    """Searches of the longest burst; lengths are frames of each direction. A length of 0 passes by definition."""

    def __init__(self, trials: Trials, plan: BackToBackPlan) -> None:
        self._trials = trials
        self._plan = plan
        self._step = plan.step_frames
        self._longest = plan.longest_frames
        self.in_doubt = False

    def first(self) -> int:
        """Search between nothing and the longest burst; that one counts when it passes twice."""
        if self._passes(self._longest) and self._passes(self._longest):
            return self._longest
        return self._bisect(0, self._longest)

    def again(self, near: int) -> int:
        """Search around ``near`` with steps that double until one burst passes and another does not."""
        near, width = max(near, self._step), self._step
        if self._passes(near):
            low = near
            while low < self._longest:
                high = min(low + width, self._longest)
                if not self._passes(high):
                    return self._bisect(low, high)
                low, width = high, 2 * width
            return low
        high = near
        while high > width:
            if self._passes(high - width):
                return self._bisect(high - width, high)
            high, width = high - width, 2 * width
        return self._bisect(0, high)

    def _bisect(self, low: int, high: int) -> int:
        """Return the longest burst that passed: ``low`` does, ``high`` does not."""
        while high - low > self._step:
            middle = (low + high) // 2
            low, high = (middle, high) if self._passes(middle) else (low, middle)
        return low

    def _passes(self, frames: int) -> bool:
        plan = self._plan
        result = self._trials.measure(burst(plan.frame_size_bytes, frames, plan.burst_rate_pps, plan.directions))
        self.in_doubt = self.in_doubt or bool(result.invalid)
        return result.lost_frames == 0


def _result(plan: BackToBackPlan, trials: Trials, found: list[int], *, in_doubt: bool) -> BackToBack:
    average = statistics.fmean(found)
    unlimited = sum(frames >= plan.longest_frames for frames in found)
    limit = NO_LIMIT if unlimited == len(found) else "at least" if unlimited else ""
    implied_s, corrected_s, reason = _buffer_times(plan, average, limit)
    return BackToBack(
        frame_size_bytes=plan.frame_size_bytes,
        burst_rate_pps=plan.burst_rate_pps,
        line_rate_pps=plan.line_rate_pps,
        throughput_pps=plan.throughput_pps,
        longest_tried_frames=plan.longest_frames,
        step_frames=plan.step_frames,
        bursts_frames=tuple(found),
        burst_frames=average,
        min_frames=min(found),
        max_frames=max(found),
        std_frames=statistics.stdev(found) if len(found) > 1 else None,
        unlimited=unlimited,
        limit=limit,
        in_doubt=in_doubt,
        implied_buffer_s=implied_s,
        corrected_buffer_s=corrected_s,
        buffer_frames=None if corrected_s is None else corrected_s * plan.burst_rate_pps / plan.directions,
        reason=reason,
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
    )


def _buffer_times(plan: BackToBackPlan, average_frames: float, limit: str) -> tuple[float | None, float | None, str]:
    """Return implied and corrected buffer time in seconds, and why one of them is None (RFC 9004 section 6.4).

    The RFC's maximum theoretical frame rate is the one at which its bursts are sent; where the generator cannot send
    at line rate it is the rate of these bursts, or the correction would be too small.
    """
    if limit:
        return None, None, f"a burst as long as was tried ({plan.longest_frames} frames) passed: no buffer overflowed"
    implied_s = average_frames * plan.directions / plan.burst_rate_pps
    if plan.throughput_pps is None:
        return implied_s, None, "no throughput is known by which to correct the buffer time"
    if plan.throughput_pps >= plan.burst_rate_pps:
        return implied_s, None, "the throughput is no less than the rate of the bursts: they fill no buffer"
    return implied_s, implied_s * (1.0 - plan.throughput_pps / plan.burst_rate_pps), ""
