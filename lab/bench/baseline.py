"""How long a simulated baseline with its interval takes, beside the plain-Python reference."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator

from lab.bench.model import BenchResult
from lab.simulation import machines, reference
from lab.simulation.layout import default
from lab.simulation.prediction import Question, predict
from lab.simulation.prediction.draw import draws
from lab.simulation.prediction.question import PS_PER_US
from lab.simulation.prediction.sample import WARM_US
from lab.simulation.workload.built import Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.catalogue import workload

RUNS = 3
REFERENCE_PS = 5_000_000
"""Of simulated time, that the reference is given."""


def baseline(runs: int = RUNS) -> Iterator[BenchResult]:
    """Predict what 8 cores of 2x E5-2670 route between 8 ports, padded, on all cores of this host.

    Yields:
        Median seconds of a prediction; ``ratio`` is that over what the reference would take for the same simulated time
        on one core, reckoned from one draw and a short time.

    """
    question = Question(machines.load("e5-2670x2"), "ipv4-routing", default("padded", 8), Case(ports=8, cores=8))
    jobs = len(os.sched_getaffinity(0))
    simulated_us = question.window_us + WARM_US
    ours, theirs = [], []
    for _ in range(runs):
        begun_s = time.monotonic()
        found = predict(question, jobs)
        ours.append(time.monotonic() - begun_s)
        theirs.append(_reference_s(question) * simulated_us * PS_PER_US / REFERENCE_PS * found.draws)
    yield BenchResult(
        bench="baseline",
        value=statistics.median(ours),
        unit="s",
        against="plain-Python reference on one core, reckoned from one short draw",
        ratio=statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        runs=runs,
        note=f"{found.draws} draws of {simulated_us:.0f} us on {jobs} cores; median "
        f"{found.rate_pps.median / 1e6:.1f} Mpps, 90 % within {found.rate_pps.low / 1e6:.1f} to "
        f"{found.rate_pps.high / 1e6:.1f}",
    )


def _reference_s(question: Question) -> float:
    """Return the seconds that the reference takes for a short time of the first draw."""
    draw = draws(question)[0]
    window = Window(draw.seed, 0, REFERENCE_PS)
    built = workload(question.workload).build(question.machine, draw.numbers, question.case, question.layout, window)
    begun_s = time.monotonic()
    reference.simulate(built.scene)
    return time.monotonic() - begun_s
