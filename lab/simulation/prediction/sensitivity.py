"""Which numbers of the machine drive a prediction: elementary effects (Morris 1991; Campolongo et al. 2007)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import pi, sqrt

import numpy as np
from pydantic import Field
from SALib.analyze import morris as analysis
from SALib.sample import morris as sampling

from lab.errors import UsageError
from lab.models import Model
from lab.simulation.machine import Machine
from lab.simulation.prediction.draw import Draw
from lab.simulation.prediction.parallel import in_parallel
from lab.simulation.prediction.question import Question
from lab.simulation.prediction.sample import simulate
from lab.simulation.workload.case import Case

LEVELS = 4
STEP = LEVELS / (2 * (LEVELS - 1))  # of a range, between the two simulations of an elementary effect
TRAJECTORIES = 10


class Effect(Model):
    """What one number does to the rate, in operations a second over its whole range.

    ``mu_star_pps`` is the mean size of its effects, ``mu_star_error_pps`` 95 % of its bootstrap, and ``mu_pps`` the
    mean with signs. ``sigma_pps`` says how much effects differ from place to place: where it is as large as
    ``mu_star_pps``, the effect depends on the other numbers, or is not linear.
    """

    number: str
    mu_star_pps: float
    mu_star_error_pps: float
    mu_pps: float
    sigma_pps: float
    low: float
    high: float
    unit: str
    source: str


class Sensitivity(Model):
    """Effects of all numbers that are not known exactly, greatest first.

    ``noise_pps`` is the mu_star that a number without any effect would show: another seed moves the rate as well.
    """

    machine: str
    workload: str
    layout: str
    case: Case
    unit: str
    trajectories: int = Field(ge=2)
    simulations: int
    noise_pps: float
    effects: tuple[Effect, ...]


def sensitivity(question: Question, trajectories: int = TRAJECTORIES, jobs: int = 1) -> Sensitivity:
    """Say which numbers of the machine drive the rate.

    Args:
        question: its first seed gives the trajectories, all its seeds the noise.
        trajectories: each takes as many simulations as there are numbers that are not known exactly, and one more.
        jobs: simulations at a time.

    Raises:
        UsageError: fewer than two trajectories, or every number of the machine is known exactly.
        SimulationError: the case does not fit the workload, the machine or the layout.

    """
    names = sorted(name for name, each in question.machine.ranges.items() if each.low < each.high)
    if not names or trajectories < 2:
        raise UsageError(
            f"sensitivity: {trajectories} trajectories over {len(names)} numbers of machine {question.machine.name} "
            "that are not known exactly; it takes two trajectories and a number"
        )
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    points = sampling.sample(problem, trajectories, num_levels=LEVELS, seed=question.seeds[0])
    draws = [_draw(question.machine, names, point, question.seeds[0]) for point in points.tolist()]
    again = [_draw(question.machine, names, [0.5] * len(names), seed) for seed in question.seeds]
    found = in_parallel(partial(simulate, question), [*draws, *again], jobs)
    rates_pps = np.array([each.rate_pps for each in found])
    result = analysis.analyze(problem, points, rates_pps[: len(draws)], num_levels=LEVELS, seed=question.seeds[0])
    effects = [
        _effect(question.machine, name, *(float(result[key][i]) for key in ("mu_star", "mu_star_conf", "mu", "sigma")))
        for i, name in enumerate(names)
    ]
    return Sensitivity(
        machine=question.machine.name,
        workload=question.workload,
        layout=question.layout.name,
        case=question.case,
        unit=found[0].unit,
        trajectories=trajectories,
        simulations=len(found),
        noise_pps=_noise(rates_pps[len(draws) :].tolist()),
        effects=tuple(sorted(effects, key=lambda each: -each.mu_star_pps)),
    )


def _draw(machine: Machine, names: Sequence[str], shares: Sequence[float], seed: int) -> Draw:
    """Return the draw in which each named number has that share of its distribution below it."""
    numbers = {name: each.median for name, each in machine.ranges.items()}
    numbers |= {name: machine.ranges[name].quantile(share) for name, share in zip(names, shares, strict=True)}
    return Draw(numbers, seed)


def _effect(machine: Machine, name: str, mu_star: float, error: float, mu: float, sigma: float) -> Effect:
    known = machine.ranges[name]
    return Effect(
        number=name,
        mu_star_pps=mu_star,
        mu_star_error_pps=error,
        mu_pps=mu,
        sigma_pps=sigma,
        low=known.low,
        high=known.high,
        unit=known.unit,
        source=known.source,
    )


def _noise(rates_pps: Sequence[float]) -> float:
    """Return the mean size of an effect between two rates of the same numbers; 0 for a single seed."""
    if len(rates_pps) < 2:
        return 0.0
    return float(np.std(rates_pps, ddof=1)) * 2 / sqrt(pi) / STEP
