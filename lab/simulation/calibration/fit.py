"""Fits the numbers of the core model that nobody has published to microbenchmarks: priors become weights.

Draws of all numbers that are not known (stratified, from their priors) are simulated at the fitted points; a draw
weighs as much as its rates agree with the measured ones. Only :data:`FITTED_NUMBERS` are kept; the others are
integrated over.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lab.models import Model
from lab.simulation.calibration.simulated import rates
from lab.simulation.calibration.states import Measured
from lab.simulation.errors import SimulationError
from lab.simulation.machine import Machine

FITTED_NUMBERS = ("misses", "hold", "snoop", "overlap", "upgrade")
"""Concurrent misses; how long a line stays with its holder; speculation. Nothing else is fitted."""
MODEL_SIGMA = 0.2
"""Log error that a right model of this kind still has at a point: what it leaves out (instructions, prefetchers)."""
DEVIATIONS_10_TO_90 = 2.563  # between the 10 and the 90 % of a normal distribution, in standard deviations
FEWEST_EFFECTIVE = 4.0
KEPT = 200


class Sample(Model):
    """One draw of the fitted numbers and what it weighs; the weights of a fit add up to 1."""

    weight: float
    numbers: dict[str, float]


class Fit(Model):
    """The result: weighted samples, and how well they agree.

    ``effective`` is the effective number of samples; ``predicted`` the weighted mean of the log rate at each fitted
    point, as a rate; ``rms_log_error`` over them.
    """

    samples: tuple[Sample, ...]
    effective: float
    predicted: tuple[float, ...]
    rms_log_error: float


def fit(
    machine: Machine, measured: Sequence[Measured], draws: int = 256, seed: int = 1, jobs: int | None = None
) -> Fit:
    """Weigh draws of a machine's numbers by what was measured.

    Args:
        machine: with the priors.
        measured: the fitted points in one state.
        draws: how many.
        seed: of the draws.
        jobs: threads; None for all CPUs.

    Raises:
        SimulationError: there is nothing to fit, or hardly any draw agrees with what was measured.

    """
    if not measured:
        raise SimulationError("calibration: no point to fit")
    drawn = machine.draws(draws, seed)
    simulated = np.log(rates(machine, drawn, [(each.point, each.latency_ns) for each in measured], jobs))
    log_measured = np.log([each.rate.median for each in measured])
    weights = weigh(simulated, log_measured, np.array([_log_spread(each) for each in measured]))
    effective = float(1 / np.sum(weights**2))
    mean = weights @ simulated
    rms = float(np.sqrt(np.mean((mean - log_measured) ** 2)))
    heaviest = np.argsort(-weights)[:KEPT]
    kept = weights[heaviest] / weights[heaviest].sum()
    return Fit(
        samples=tuple(
            Sample(weight=float(weight), numbers={name: drawn[at][name] for name in FITTED_NUMBERS})
            for weight, at in zip(kept, heaviest, strict=True)
        ),
        effective=effective,
        predicted=tuple(float(rate) for rate in np.exp(mean)),
        rms_log_error=rms,
    )


def _log_spread(point: Measured) -> float:
    """Return the standard deviation of the logarithm of what a point's windows say."""
    return float(np.log(point.rate.high / point.rate.low)) / DEVIATIONS_10_TO_90


def weigh(
    log_simulated: NDArray[np.float64], log_measured: NDArray[np.float64], log_spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weight of each draw, adding up to 1; the errors of points count as independent and lognormal.

    A point whose windows disagree says as much less: a ring at batch 1 is fast in one window and slow in the
    next, and its median depends on who else used the host. Where fewer than :data:`FEWEST_EFFECTIVE` draws
    would decide, the model is off by more than was assumed: the error is then taken to be as much larger as it must be
    for so many to agree. No draw decides alone.

    Args:
        log_simulated: [draw, point].
        log_measured: [point].
        log_spread: [point], standard deviation of its windows.

    """
    squares = np.sum((log_simulated - log_measured) ** 2 / (MODEL_SIGMA**2 + log_spread**2), axis=1)
    sigma = 1.0
    while True:
        exponents = -(squares - squares.min()) / (2 * sigma**2)
        weights: NDArray[np.float64] = np.exp(exponents) / np.sum(np.exp(exponents))
        if 1 / np.sum(weights**2) >= min(FEWEST_EFFECTIVE, squares.size / 2):
            return weights
        sigma *= 1.1
