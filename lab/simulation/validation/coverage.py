"""Check 7: every prediction has an interval, and intervals hold what they claim to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from scipy.stats import binom

from lab.simulation import machines
from lab.simulation.layout import default
from lab.simulation.prediction.draw import draws
from lab.simulation.prediction.model import Band
from lab.simulation.prediction.parallel import in_parallel
from lab.simulation.prediction.predictor import predict
from lab.simulation.prediction.question import Question
from lab.simulation.prediction.sample import simulate
from lab.simulation.validation.check import Check
from lab.simulation.workload.case import Case

CLAIMED = 0.9
HIDDEN_SEEDS = (101, 102)
"""Of the machines that are taken for true; no prediction draws with them."""
HIDDEN_DRAWS = 5
CHANCE = 0.01
"""Of refusing intervals that hold just what they claim: half of it on either side."""


def questions() -> tuple[Question, ...]:
    """Return what is asked: rings between two cores and between many, and the talk's machine with both layouts."""
    talk, client = machines.load("e5-2670x2"), machines.load("i7-4770k")
    return (
        Question(talk, "ipv4-routing", default("padded", 8), Case(ports=8, cores=8)),
        Question(talk, "ipv4-routing", default("packed", 8), Case(ports=8, cores=8)),
        Question(talk, "message-ring", default("packed", 5), Case(cores=4, batch=8, variant="matrix")),
        Question(client, "spsc", default("packed", 2), Case(placement="near", variant="lamport")),
    )


def bounds(count: int) -> tuple[int, int]:
    """Return how many of ``count`` truths lie inside intervals that hold 90 %, at least and at most (binomial)."""
    return int(binom.ppf(CHANCE / 2, count, CLAIMED)), int(binom.ppf(1 - CHANCE / 2, count, CLAIMED))


def coverage(asked: Sequence[Question] | None = None, jobs: int | None = None) -> Check:
    """Take machines drawn from other seeds for true, and count how many of their rates the predictions hold.

    Args:
        asked: the questions; by default those of :func:`questions`.
        jobs: simulations at a time; by default one a core.

    """
    at_a_time = jobs or len(os.sched_getaffinity(0))
    detail, inside, count = [], 0, 0
    for question in questions() if asked is None else asked:
        rate = predict(question, at_a_time).rate_pps
        truths = hidden_pps(question, at_a_time)
        held = held_by(rate, truths)
        inside, count = inside + held, count + len(truths)
        detail.append(
            f"{question.machine.name} {question.workload} {question.layout.name}: {held} of {len(truths)} in "
            f"{rate.low / 1e6:.2f} to {rate.high / 1e6:.2f} million a second"
        )
    return verdict(inside, count, detail)


def verdict(inside: int, count: int, detail: Sequence[str]) -> Check:
    """Judge how many of the truths lie inside."""
    fewest, most = bounds(count)
    return Check(
        number=7,
        name="coverage of intervals",
        holds=fewest <= inside <= most,
        figure=f"{inside} of {count} hidden machines inside their 90 % interval; {fewest} to {most} are chance",
        value=inside / count,
        relation="at least",
        limit=fewest / count,
        unit="of them",
        detail=tuple(detail),
    )


def hidden_pps(question: Question, jobs: int) -> list[float]:
    """Return the rates of machines of which a prediction knows no more than the ranges of their numbers."""
    hidden = replace(question, seeds=HIDDEN_SEEDS, draws_per_seed=HIDDEN_DRAWS)
    return [each.rate_pps for each in in_parallel(partial(simulate, hidden), draws(hidden), jobs)]


def held_by(band: Band, truths: Sequence[float]) -> int:
    """Count the truths within 5 to 95 % of a band, both included: a cap may bind truth and prediction alike."""
    return sum(band.low <= truth <= band.high for truth in truths)
