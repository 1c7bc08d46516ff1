"""Two sides (images, layouts, settings) compared in turns, A B B A: what drifts meets both alike.

Each turn is one trial of the same request, so what is compared is what each side forwards of one load: at full load its
maximum receive rate (what FD.io calls MRR), below that, whether it keeps up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product

from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import Measurer, TrialRequest, TrialResult
from lab.methods.validity import disturbed
from lab.metrics.difference import MATTERS, Verdict, judged
from lab.metrics.ratio import Observation, Ratio
from lab.metrics.ratio import compare as compare_in_blocks
from lab.metrics.statistics import Interval, Modes, relative_sd, two_modes, values_needed
from lab.models import Model

SEARCH = "interleaved comparison"
_TURNS = 4  # of a block: A B B A


class InterleavedPlan(Model):
    """What to compare: ``blocks`` times a trial of each in the order A B B A.

    At least three blocks give an interval. ``matters`` is the least difference that matters, as a share.
    """

    first: str
    second: str
    request: TrialRequest
    blocks: int
    matters: float = MATTERS


class InterleavedComparison(Model):
    """The second side's rate over the first's.

    ``ratio`` has medians, interval and effect: its ``side`` is the second. ``verdict`` judges the second by the first:
    ``no difference`` where the interval lies within ``matters``. ``more_blocks`` would tell such a difference in 80 %
    of the cases; None where nothing is left to tell. ``modes`` are those of each side that has two. ``trials`` include
    the ``invalid_trials``.
    """

    first: str
    second: str
    frame_size_bytes: int
    rate_pps: float
    rates_pps: dict[str, tuple[float, ...]]
    ratio: Ratio
    verdict: Verdict
    more_blocks: int | None
    modes: dict[str, Modes]
    trials: int
    invalid_trials: int

    @property
    def sentence(self) -> str:
        """The verdict in words: ``b is better than a: effect 0.8``."""
        words = {
            "better": f"{self.second} is better than {self.first}",
            "regression": f"{self.second} is worse than {self.first}",
            "differs": f"{self.second} differs from {self.first}",
            "no difference": f"{self.second} and {self.first} do not differ",
            "cannot tell": f"cannot tell {self.second} from {self.first}: {self.more_blocks} more blocks would",
        }[self.verdict]
        several = "".join(f"; {side} has two modes" for side in self.modes)
        return f"{words} (Cliff's delta {self.ratio.effect:.2f}){several}"


def measure(at: Callable[[str], Measurer], plan: InterleavedPlan, conditions: Conditions) -> InterleavedComparison:
    """Compare two sides in turns.

    Args:
        at: makes a side the one that is measured and returns its measurer: two that are up (``both.__getitem__``), or
            one that is switched over. Called before each attempt at a trial.
        plan: what to compare.
        conditions: of the run.

    Raises:
        TooDisturbed: a trial never counted.
        ValueError: fewer than three blocks, or both sides have one name.

    """
    if plan.blocks < 3 or plan.first == plan.second:
        raise ValueError("a comparison in turns takes two sides of different names and at least three blocks")
    duration_s = plan.request.total_s + conditions.overhead_s
    expected_s = _TURNS * plan.blocks * duration_s / 2
    sides = (plan.first, plan.second)
    trials = {side: Trials(_Side(at, side), conditions, _named(side), expected_s=expected_s) for side in sides}
    seen = []
    for block in range(plan.blocks):
        for side in (plan.first, plan.second, plan.second, plan.first):
            result = trials[side].measure(plan.request)
            marks = bool(disturbed(result, conditions.limits))
            seen.append(Observation(block=block, side=side, rate=result.received_pps, disturbed=marks))
    return _compared(plan, seen, trials)


def _named(side: str) -> str:
    return f"{SEARCH}: {side}"


class _Side:
    """A Measurer that makes its side the one that is measured."""

    def __init__(self, at: Callable[[str], Measurer], side: str) -> None:
        self._at = at
        self._side = side

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run a trial on this side."""
        return self._at(self._side).measure(request)


def _compared(
    plan: InterleavedPlan, seen: Sequence[Observation], trials: Mapping[str, Trials]
) -> InterleavedComparison:
    rates_pps = {side: tuple(one.rate for one in seen if one.side == side) for side in trials}
    (ratio,) = compare_in_blocks(seen, plan.second, plan.first)
    verdict = judged(Interval(low=ratio.low, high=ratio.high), better="more", matters=plan.matters)
    more_blocks = None
    if verdict == "cannot tell":
        # Two of a side in one block: what drifts from block to block is no spread of these.
        pairs = [
            [each.rate for each in seen if (each.block, each.side) == key]
            for key in product(range(plan.blocks), trials)
        ]
        spread = relative_sd(pairs)
        needed = values_needed(spread[0], plan.matters) if spread else 0
        more_blocks = max(1, math.ceil(2 * needed / _TURNS) - plan.blocks)
    modes = {side: found for side, rates in rates_pps.items() if (found := two_modes(rates))}
    return InterleavedComparison(
        first=plan.first,
        second=plan.second,
        frame_size_bytes=plan.request.frame_size_bytes,
        rate_pps=plan.request.rate_pps,
        rates_pps=rates_pps,
        ratio=ratio,
        verdict=verdict,
        more_blocks=more_blocks,
        modes=modes,
        trials=sum(len(one.results) for one in trials.values()),
        invalid_trials=sum(one.invalid_count for one in trials.values()),
    )
