"""Check 7: every prediction has an interval, and intervals hold what they claim to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from scipy.stats import binom

from lab.simulation import machines
from lab.simulation.calibration import frozen as frozen_file
from lab.simulation.errors import SimulationError
from lab.simulation.layout import default
from lab.simulation.prediction.draw import draws
from lab.simulation.prediction.model import Band
from lab.simulation.prediction.parallel import in_parallel
from lab.simulation.prediction.predictor import predict
from lab.simulation.prediction.question import Question
from lab.simulation.prediction.sample import simulate
from lab.simulation.validation.check import Check
from lab.simulation.validation.host_coverage import Covered, host_coverage
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
    if count == 0:
        return 0, 0
    return int(binom.ppf(CHANCE / 2, count, CLAIMED)), int(binom.ppf(1 - CHANCE / 2, count, CLAIMED))


def coverage() -> Check:
    """Count truths inside intervals: of hidden machines, and of this host where it was calibrated.

    Raises:
        UsageError: the calibration of this host was changed after it was frozen.

    """
    jobs = len(os.sched_getaffinity(0))
    return judged(hidden_machines(questions(), jobs), _of_host(jobs))


def judged(hidden: Covered, host: Covered) -> Check:
    """Judge both: neither may have fewer points inside than chance explains, nor the hidden machines more."""
    fewest, most = bounds(hidden.count)
    holds = fewest <= hidden.inside <= most and host.inside >= bounds(host.count)[0]
    measured = f"; {host.inside} of {host.count} held-out points of this host" if host.count else ""
    return Check(
        number=7,
        name="coverage of intervals",
        holds=holds,
        figure=f"{hidden.inside} of {hidden.count} hidden machines inside their 90 % interval ({fewest} to {most} are "
        f"chance){measured}",
        value=hidden.inside / hidden.count,
        relation="at least",
        limit=fewest / hidden.count,
        unit="of them",
        detail=(*hidden.detail, *host.detail),
    )


def _of_host(jobs: int) -> Covered:
    """Look at the held-out points of this host; at none, with the reason, where that cannot be."""
    calibrated = frozen_file.load()
    if calibrated is None:
        return Covered(0, 0, ("held-out points of this host: not looked at: run: pixlab calibrate",))
    try:
        return host_coverage(calibrated, jobs)
    except SimulationError as error:
        return Covered(0, 0, (f"held-out points of this host: not looked at: {error}",))


def hidden_machines(asked: Sequence[Question], jobs: int) -> Covered:
    """Take machines drawn from other seeds for true, and count how many of their rates the predictions hold.

    Args:
        asked: the questions.
        jobs: simulations at a time.

    """
    detail, inside, count = [], 0, 0
    for question in asked:
        rate = predict(question, jobs).rate_pps
        truths = hidden_pps(question, jobs)
        held = held_by(rate, truths)
        inside, count = inside + held, count + len(truths)
        detail.append(
            f"{question.machine.name} {question.workload} {question.layout.name}: {held} of {len(truths)} in "
            f"{rate.low / 1e6:.2f} to {rate.high / 1e6:.2f} million a second"
        )
    return Covered(count, inside, tuple(detail))


def hidden_pps(question: Question, jobs: int) -> list[float]:
    """Return the rates of machines of which a prediction knows no more than the ranges of their numbers."""
    hidden = replace(question, seeds=HIDDEN_SEEDS, draws_per_seed=HIDDEN_DRAWS)
    return [each.rate_pps for each in in_parallel(partial(simulate, hidden), draws(hidden), jobs)]


def held_by(band: Band, truths: Sequence[float]) -> int:
    """Count the truths within 5 to 95 % of a band, both included: a cap may bind truth and prediction alike."""
    return sum(band.low <= truth <= band.high for truth in truths)
