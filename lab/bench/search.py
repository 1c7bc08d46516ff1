"""What a search for NDR and PDR costs, beside two plain bisections, on computed DUTs with known truth."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator

from lab.bench.model import BenchResult
from lab.dut.computed import ComputedDut
from lab.methods.classification import Outcome, classify, outcome
from lab.methods.goals import RateGoal
from lab.methods.mlr import LOWEST_SHARE, MlrPlan, search
from lab.methods.profiles import PROFILES
from lab.methods.repeat import Conditions
from lab.methods.trial import Measurer, TrialRequest, line_rate_pps
from lab.models import Model
from lab.testbed.behaviour import Behaviour, Picks

FRAME_SIZE_BYTES = 64
MAX_PPS = 2 * line_rate_pps(FRAME_SIZE_BYTES, 10.0)
SEEDS = range(1, 21)
_NO_LIMIT_S = 3600.0

# A machine that does the same in each trial; one that varies by 0.2 % from second to second; one that drops a few
# frames now and then at any load; one that is a tenth slower in one second of five; one that an overload makes slow.
DEVICES = {
    "clean": Behaviour(capacity_pps=6e6),
    "noisy": Behaviour(capacity_pps=6e6, noise_ratio=0.002, interval_ms=1000),
    "bursts": Behaviour(capacity_pps=6e6, lose=Picks(ratio=2e-8, burst_frames=30)),
    "bimodal": Behaviour(capacity_pps=6e6, slow_pps=5.4e6, slow_share=0.2, interval_ms=1000),
    "collapse": Behaviour(capacity_pps=6e6, overloaded_pps=3e6, recovery_pps=4e6),
}


class Cost(Model):
    """What was spent, and the rate found for each goal: the greatest load that met it, 0 where none did."""

    trials: int
    traffic_s: float
    found_pps: tuple[float, ...]


def device(name: str, seed: int) -> ComputedDut:
    """Return one of ``DEVICES``; with the seed its capacity is another, from 0.75 to 14.25 Mpps, and so is its chance.

    A bisection is lucky or not by where the truth lies; over many capacities that evens out.
    """
    told = DEVICES[name]
    share = 0.125 + 2.25 * (seed * 0.6180339887 % 1.0)  # the golden ratio spreads any number of seeds evenly
    rates = {field: share * getattr(told, field) for field in told.model_fields_set if field.endswith("_pps")}
    return ComputedDut(told.model_copy(update={"seed": seed, **rates}))


def by_search(dut: ComputedDut, goals: tuple[RateGoal, ...]) -> Cost:
    """Find the rates of all goals at once."""
    plan = MlrPlan(frame_size_bytes=FRAME_SIZE_BYTES, max_rate_pps=MAX_PPS, goals=goals, time_limit_s=_NO_LIMIT_S)
    found = search(dut, plan, Conditions())
    return _cost(dut, tuple(found[goal.name].lower_pps or 0.0 for goal in goals))


def by_bisection(dut: ComputedDut, goals: tuple[RateGoal, ...]) -> Cost:
    """Find the rate of one goal after the other, each by bisection between 0 and the greatest load."""
    return _cost(dut, tuple(bisect(dut, goal, MAX_PPS) for goal in goals))


def bisect(measurer: Measurer, goal: RateGoal, max_pps: float) -> float:
    """Find the rate of one goal by plain bisection (RFC 9971, "Binary Search"), the greatest load first.

    All trials have the final duration of the goal. Each load gets as many as its classification takes and no more, so
    that both sides have the same confidence, and the last bracket is at most as wide as the goal says.

    Args:
        measurer: runs single trials; all must count.
        goal: what a load must meet.
        max_pps: greatest load, summed over the directions.

    Returns:
        The greatest load found that meets the goal; 0 when none did, down to the least that a search tries.

    """
    lower_pps, upper_pps, load_pps = 0.0, max_pps, max_pps
    while True:
        if _meets(measurer, goal, load_pps):
            if load_pps == max_pps:
                return max_pps
            lower_pps = load_pps
        else:
            upper_pps = load_pps
        if upper_pps - lower_pps <= goal.width_ratio * upper_pps or upper_pps <= LOWEST_SHARE * max_pps:
            return lower_pps
        load_pps = (lower_pps + upper_pps) / 2


def _meets(measurer: Measurer, goal: RateGoal, load_pps: float) -> bool:
    outcomes: list[Outcome] = []
    while (what := classify(outcomes, goal)) == "undecided":
        request = TrialRequest(
            frame_size_bytes=FRAME_SIZE_BYTES, rate_pps=load_pps, duration_s=goal.final_trial_s, tagged=False
        )
        outcomes.append(outcome(measurer.measure(request)))
    return what == "lower"


def _cost(dut: ComputedDut, found_pps: tuple[float, ...]) -> Cost:
    traffic_s = sum(request.duration_s for request in dut.requests)
    return Cost(trials=len(dut.requests), traffic_s=traffic_s, found_pps=found_pps)


def search_vs_bisection() -> Iterator[BenchResult]:
    """Have both find NDR and PDR of the same devices, with the goals of each profile.

    Yields:
        Traffic seconds, mean over the seeds, a line for each profile and device and one for all devices of a profile.

    """
    for profile in PROFILES.values():
        every: list[tuple[Cost, Cost]] = []
        for name in DEVICES:
            print(f"search-vs-bisection: {profile.name}, {name}", file=sys.stderr)
            pairs = [
                (by_search(device(name, seed), profile.goals), by_bisection(device(name, seed), profile.goals))
                for seed in SEEDS
            ]
            yield _line(f"search-vs-bisection:{profile.name}:{name}", pairs)
            every += pairs
        yield _line(f"search-vs-bisection:{profile.name}", every)


def _line(bench: str, pairs: list[tuple[Cost, Cost]]) -> BenchResult:
    """Return what the pairs (search, bisections) say; the ratio is of all seconds of the one and of the other."""
    ours = [one for one, _ in pairs]
    theirs = [other for _, other in pairs]
    ratios = [one.traffic_s / other.traffic_s for one, other in pairs]
    apart = [
        found / plain - 1
        for one, other in pairs
        for found, plain in zip(one.found_pps, other.found_pps, strict=True)
        if plain
    ]
    return BenchResult(
        bench=bench,
        value=statistics.fmean(one.traffic_s for one in ours),
        unit="s of traffic",
        against="two plain bisections with the same final trials, width and confidence",
        ratio=sum(one.traffic_s for one in ours) / sum(other.traffic_s for other in theirs),
        runs=len(pairs),
        note=(
            f"{statistics.fmean(one.trials for one in ours):.0f} trials against "
            f"{statistics.fmean(other.trials for other in theirs):.0f}; ratios from {min(ratios):.2f} to "
            f"{max(ratios):.2f}; rates found {100 * statistics.median(apart):+.2f} % apart"
        ),
    )
