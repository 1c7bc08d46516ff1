"""One draw simulated: how fast, how late, and which words were fought over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from lab.simulation import buckets, native
from lab.simulation.prediction.draw import Draw
from lab.simulation.prediction.question import PS_PER_US, Question
from lab.simulation.scene import Outcome
from lab.simulation.workload.built import Built, Window
from lab.simulation.workload.catalogue import workload

WARM_US = 50.0  # before the window: with less, caches and rings are not as they stay
PS_PER_NS = 1000
PERCENTILES = ("50", "99", "99.9")
COHERENCE_SHARE = 0.8  # below this share of what the work alone allows, coherence is what limits
BOUND_SHARE = 0.98  # from this share of a bound on, it is what limits: NICs keep to it within the simulation


@dataclass(frozen=True)
class Sample:
    """What one draw says.

    Attributes:
        unit: of an operation.
        capacity_pps: operations a second that the cores complete.
        cap_pps: what else bounds the rate: the least of line rate, PCIe, device.
        limited_by: what bounds this draw.
        latency_us: by percentile; empty where the workload samples none.
        misses: line transactions of an operation by structure.
        busy_ns: that cores are busy with an operation; None where the workload does not tell.

    """

    unit: str
    capacity_pps: float
    cap_pps: float
    limited_by: str
    latency_us: Mapping[str, float]
    misses: Mapping[str, float]
    busy_ns: float | None = None

    @property
    def rate_pps(self) -> float:
        """Operations a second: what the cores do, and no more than the caps allow."""
        return min(self.capacity_pps, self.cap_pps)


def simulate(question: Question, draw: Draw) -> Sample:
    """Simulate a question with the numbers of one draw.

    Raises:
        SimulationError: the case does not fit the workload, the machine or the layout.

    """
    warm_ps, end_ps = (int(each_us * question.ps_per_us) for each_us in (WARM_US, WARM_US + question.window_us))
    window = Window(draw.seed, warm_ps, end_ps)
    built = workload(question.workload).build(question.machine, draw.numbers, question.case, question.layout, window)
    outcome = native.simulate(built.scene)
    capacity_pps = built.rate_pps(outcome)
    cap_pps = min(built.caps_pps.values(), default=float("inf"))
    busy_ps = built.busy_ps_an_operation(outcome)
    return Sample(
        unit=built.unit,
        capacity_pps=capacity_pps,
        cap_pps=cap_pps,
        limited_by=_limit(built, outcome, capacity_pps, question.case.offered_pps),
        latency_us=_latency_us(outcome),
        misses=_misses(built, outcome),
        busy_ns=None if busy_ps is None else busy_ps / PS_PER_NS,
    )


def _limit(built: Built, outcome: Outcome, capacity_pps: float, offered_pps: float | None) -> str:
    """Name what bounds the rate."""
    cap = min(built.caps_pps, key=lambda name: built.caps_pps[name], default=None)
    if cap is not None and built.caps_pps[cap] < capacity_pps:
        return cap
    if offered_pps is not None and capacity_pps >= BOUND_SHARE * offered_pps:
        return "offered load"
    busy = built.busy(outcome)
    if busy is not None:
        return busy
    if cap is not None and capacity_pps >= BOUND_SHARE * built.caps_pps[cap]:
        return cap
    if built.cpu_pps is None:
        return "cores"
    return "coherence" if capacity_pps < COHERENCE_SHARE * built.cpu_pps else "cpu"


def _latency_us(outcome: Outcome) -> dict[str, float]:
    found = {name: buckets.percentile(outcome.latency_counts, float(name) / 100) for name in PERCENTILES}
    return {name: latency_ps / PS_PER_US for name, latency_ps in found.items() if latency_ps is not None}


def _misses(built: Built, outcome: Outcome) -> dict[str, float]:
    """Return the line transactions of an operation by the structure whose words caused them."""
    total: Counter[str] = Counter()
    for name, count in zip(built.word_names, outcome.word_transactions, strict=True):
        if count and name:
            total[name] += count
    operations = sum(outcome.window(agent, built.done) for agent in built.counting)
    return {name: count / max(operations, 1) for name, count in total.items()}
