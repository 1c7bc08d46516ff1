"""How far each method is off on devices with known truth: 100 devices of each kind, and the errors of the estimates."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence

from lab.bench import estimates
from lab.bench.estimates import Estimate
from lab.bench.model import BenchResult

SEEDS = range(1, 101)
RATES = ("clean", "noisy", "bursts", "bimodal", "collapse", "shallow", "stalls")
METHODS: tuple[tuple[Callable[[str, int], list[Estimate]], Sequence[str]], ...] = (
    (estimates.ndr_and_pdr, RATES),
    (estimates.strict_goal, RATES),
    (estimates.plain_throughput, RATES),
    (estimates.loss_curve, ("clean", "noisy", "shallow")),
    (estimates.burst_length, ("clean", "noisy")),
    (estimates.recovery_time, ("clean", "noisy")),
    (estimates.reset_time, ("clean", "noisy")),
    (estimates.latency_median, ("clean",)),
    (estimates.reordered_ratio, ("clean",)),
    (estimates.full_load, ("clean", "noisy", "shallow")),
    (estimates.soak_loss, ("clean",)),
    (estimates.critical, ("clean", "noisy")),
)


def methods() -> Iterator[BenchResult]:
    """Have each method estimate 100 devices of each kind that it is for.

    Yields:
        The greatest error of each method and kind; the ratio is the median of found over truth.

    """
    for method, kinds in METHODS:
        for kind in kinds:
            print(f"methods: {method.__name__}, {kind}", file=sys.stderr)
            found = [method(kind, seed) for seed in SEEDS]
            for of_one in zip(*found, strict=True):
                yield line(kind, of_one)


def line(kind: str, made: Sequence[Estimate]) -> BenchResult:
    """Return what estimates of one method on devices of one kind come to."""
    errors = sorted(100 * one.error for one in made)
    most = errors[math.ceil(0.95 * len(errors)) - 1]
    found = [one.found / one.truth for one in made if one.found is not None]
    said = sum(bool(one.remark) for one in made)
    return BenchResult(
        bench=f"methods:{made[0].method}:{kind}",
        value=errors[-1],
        unit="% off at worst",
        against="truth",
        ratio=statistics.median(found) if found else 0.0,
        runs=len(made),
        note=(
            f"median {statistics.median(errors):.3g} %, 95 % of them within {most:.3g} %; "
            f"{len(made) - len(found)} found nothing, {said} say what speaks against their result"
        ),
    )
