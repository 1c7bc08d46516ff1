"""The critical load: a soak test that looks for its own load, the greatest one at which the DUT can be relied on.

It is the greatest load at which no more than the share ``exceed_ratio`` of chunks lose more than ``loss_ratio`` (the
attributes of a goal of RFC 9971, for a DUT whose losses are a matter of chance, as in the PLRsearch of FD.io CSIT).
Loads are rungs of a ladder ``rung_ratio`` apart. A transformed up-and-down rule (Levitt 1971) leads to the rung in
question: down after a chunk that lost too much, up after as many good ones in a row as such a rung passes half of the
time. Then rungs below are run until one is proved safe, rungs above until one is proved unsafe, and with what is left
of the budget the bounds are drawn together. Each rung is proved by its own chunks alone, by a test that may be looked
at after every chunk (``proved_below``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

from lab.methods.mlr import LOWEST_SHARE
from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import Measurer, TrialRequest
from lab.metrics.confidence import proved_above, proved_below
from lab.models import Model

SEARCH = "critical load"
_LOOKING_SHARE, _SAFE_SHARE = 0.3, 0.85
"""Of the chunks, spent when the rung is found, and at the latest when the search for a safe one ends."""
_PATIENCE = 1.5
"""A rung may have so many times the chunks that prove a good one, to make up for those that lost too much."""


class CriticalLoadPlan(Model):
    """What to look for. ``begin_pps`` is where to begin, NDR for instance; ``budget_s`` is how long traffic may run.

    The bounds of the result hold with the ``confidence``.
    """

    frame_size_bytes: int
    begin_pps: float
    max_rate_pps: float
    loss_ratio: float
    exceed_ratio: float = 0.1
    chunk_s: float = 1.0
    budget_s: float = 600.0
    rung_ratio: float = 0.0025
    confidence: float = 0.95
    mix_bytes: tuple[int, ...] = ()

    def rung_pps(self, rung: int) -> float:
        """Return the load of a rung, counted from the greatest load (0) down."""
        return self.max_rate_pps * (1.0 - self.rung_ratio) ** rung


class CriticalLoad(Model):
    """Between ``lower_pps``, proved to keep to the exceed ratio, and ``upper_pps``, proved not to.

    None below: no rung was proved in the time; None above: the greatest load keeps to it, or none was proved not to.
    ``estimate_pps`` is where the up-and-down rule settled. ``trials`` includes the ``invalid_trials``.
    """

    frame_size_bytes: int
    loss_ratio: float
    exceed_ratio: float
    chunk_s: float
    confidence: float
    lower_pps: float | None
    upper_pps: float | None
    estimate_pps: float
    chunks: int
    trials: int
    invalid_trials: int


@dataclass
class _Rung:
    high_loss: int = 0
    chunks: int = 0


@dataclass
class _Ladder:
    """What was seen at each rung. A chunk in doubt for the test host's sake (invalid) counts for no rung."""

    plan: CriticalLoadPlan
    trials: Trials
    rungs: dict[int, _Rung] = field(default_factory=dict)
    spent: int = 0

    @property
    def budget(self) -> int:
        return max(1, int(self.plan.budget_s / self.plan.chunk_s))

    @cached_property
    def bottom(self) -> int:
        """The last rung, of the least load that a search tries."""
        return math.floor(math.log(LOWEST_SHARE) / math.log1p(-self.plan.rung_ratio))

    def run(self, number: int) -> bool:
        """Run a chunk at a rung and say whether it lost too much; one in doubt did."""
        result = self.trials.measure(
            TrialRequest(
                frame_size_bytes=self.plan.frame_size_bytes,
                rate_pps=self.plan.rung_pps(number),
                duration_s=self.plan.chunk_s,
                tagged=False,
                mix_bytes=self.plan.mix_bytes,
            )
        )
        self.spent += 1
        high_loss = result.loss_ratio > self.plan.loss_ratio
        if not result.invalid:
            rung = self.rungs.setdefault(number, _Rung())
            rung.chunks += 1
            rung.high_loss += high_loss
        return high_loss

    @cached_property
    def least_proof(self) -> int:
        """How many good chunks in a row prove a rung safe."""
        count = 1
        while not proved_below(0, count, self.plan.exceed_ratio, self._confidence):
            count += 1
        return count

    def seen(self, number: int) -> _Rung:
        return self.rungs.get(number, _Rung())

    def hopeless(self, number: int) -> bool:
        """Say whether a rung cannot be proved safe within the patience, were all chunks to come good."""
        rung = self.seen(number)
        chunks = max(rung.chunks + 1, int(_PATIENCE * self.least_proof))
        return not proved_below(rung.high_loss, chunks, self.plan.exceed_ratio, self._confidence)

    def undecided(self, number: int) -> bool:
        """Say whether a rung had the chunks that prove an unsafe one and did not show to be one."""
        return self.seen(number).chunks >= self.least_proof // 2

    def safe(self, number: int) -> bool:
        rung = self.seen(number)
        return proved_below(rung.high_loss, rung.chunks, self.plan.exceed_ratio, self._confidence)

    def unsafe(self, number: int) -> bool:
        rung = self.seen(number)
        return proved_above(rung.high_loss, rung.chunks, self.plan.exceed_ratio, self._confidence)

    @property
    def _confidence(self) -> float:
        """Each of the two bounds may be wrong with half of what the confidence leaves."""
        return 1.0 - (1.0 - self.plan.confidence) / 2


def search(measurer: Measurer, plan: CriticalLoadPlan, conditions: Conditions) -> CriticalLoad:
    """Look for the critical load within the budget.

    Args:
        measurer: runs single trials; invalid ones are repeated here.
        plan: what to look for.
        conditions: of the run.

    Raises:
        TooDisturbed: a chunk never counted for another reason than loss in doubt.
        LabError: the lab failed.

    """
    expected_s = plan.budget_s * (1.0 + conditions.overhead_s / plan.chunk_s)
    trials = Trials(measurer, conditions, SEARCH, loss_ratios=(plan.loss_ratio,), expected_s=expected_s)
    ladder = _Ladder(plan, trials)
    way = sorted(_look(ladder))
    settled = way[len(way) // 2]
    stride = max(1, way[(9 * len(way)) // 10] - settled)
    _prove_safe(ladder, settled + stride, stride)
    _prove_unsafe(ladder, settled - stride, stride)
    _draw_together(ladder)
    unsafe = [n for n in ladder.rungs if ladder.unsafe(n)]
    upper = max(unsafe, default=-1)  # the least load of them: by monotony no greater one is safe
    safe = [n for n in ladder.rungs if ladder.safe(n) and n > upper]
    return CriticalLoad(
        frame_size_bytes=plan.frame_size_bytes,
        loss_ratio=plan.loss_ratio,
        exceed_ratio=plan.exceed_ratio,
        chunk_s=plan.chunk_s,
        confidence=plan.confidence,
        lower_pps=plan.rung_pps(min(safe)) if safe else None,
        upper_pps=plan.rung_pps(upper) if unsafe else None,
        estimate_pps=plan.rung_pps(settled),
        chunks=ladder.spent,
        trials=len(trials.results),
        invalid_trials=trials.invalid_count,
    )


def _look(ladder: _Ladder) -> list[int]:
    """Go up and down for a share of the budget; return the rungs of the second half of the way."""
    plan = ladder.plan
    in_a_row = max(1, round(math.log(0.5) / math.log1p(-plan.exceed_ratio)))
    number = max(0, math.ceil(math.log(plan.begin_pps / plan.max_rate_pps) / math.log1p(-plan.rung_ratio)))
    way: list[int] = []
    # Strides double until the first turn and halve at each one, so that the way in is short (Taylor and Creelman 1967).
    good, stride, last, turned = 0, 4, 0, False
    while ladder.spent < _LOOKING_SHARE * ladder.budget:
        way.append(number)
        good = 0 if ladder.run(number) else good + 1
        move = 1 if good == 0 else -1 if good >= (1 if stride > 1 else in_a_row) else 0
        if move:
            turned = turned or move == -last
            if last:
                stride = stride * 2 if not turned else max(1, stride // 2) if move == -last else stride
            number, good, last = min(max(0, number + move * stride), ladder.bottom), 0, move
    return way[len(way) // 2 :]


def _prove_safe(ladder: _Ladder, number: int, stride: int) -> None:
    """Run rungs until one is proved safe, each further below the last one."""
    number = min(number, ladder.bottom)
    while ladder.spent < _SAFE_SHARE * ladder.budget and not ladder.safe(number):
        if not ladder.hopeless(number):
            ladder.run(number)
        elif number == ladder.bottom:
            return
        else:
            number, stride = min(number + stride, ladder.bottom), 2 * stride


def _prove_unsafe(ladder: _Ladder, number: int, stride: int) -> None:
    """Run rungs until one is proved unsafe, each further above the last one, up to the greatest load."""
    number = max(0, number)
    while ladder.spent < ladder.budget and not any(ladder.unsafe(n) for n in ladder.rungs):
        if not ladder.safe(number) and not ladder.undecided(number):
            ladder.run(number)
        elif number == 0:
            return
        else:
            number, stride = max(0, number - stride), 2 * stride


def _draw_together(ladder: _Ladder) -> None:
    """Spend what is left on the rungs between the bounds, the middle one of those not yet decided first."""
    while ladder.spent < ladder.budget:
        upper = max((n for n in ladder.rungs if ladder.unsafe(n)), default=-1)
        lower = min((n for n in ladder.rungs if ladder.safe(n) and n > upper), default=upper)
        between = [n for n in range(upper + 1, lower) if not ladder.hopeless(n)]
        if not between:
            return
        ladder.run(between[len(between) // 2])
