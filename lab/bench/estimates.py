"""What each method finds of devices with known truth, beside the truth."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

from lab.bench.search import DEVICES
from lab.dut.computed import ComputedDut, Pauses
from lab.methods import (
    back_to_back,
    critical_load,
    latency,
    loss_rate,
    mlr,
    mrr,
    recovery,
    reordering,
    reset,
    soak,
    throughput,
)
from lab.methods.goals import STRICT, RateGoal
from lab.methods.latency import LatencyPlan, LoadPoint
from lab.methods.profiles import QUICK, STANDARD
from lab.methods.repeat import Conditions
from lab.methods.trial import Measurer, TrialRequest, TrialResult
from lab.testbed.behaviour import Behaviour, Picks

FRAME_SIZE_BYTES = 64
CAPACITY_PPS = 6e6
LINE_PPS = 29.76e6
KINDS = {**DEVICES, "shallow": Behaviour(capacity_pps=CAPACITY_PPS, queue_frames=16), "stalls": DEVICES["clean"]}
"""``shallow`` has hardly a queue; ``stalls`` is ``clean`` on a host that pauses for 2 ms in every fourth trial."""

_STALLS = Pauses(chance=0.25, length_s=0.002)
_SPREAD = 0.6180339887  # its multiples, less whole numbers, are spread evenly
_NO_LIMIT_S = 1e6


@dataclass(frozen=True)
class Estimate:
    """What a method found, None where nothing, and the truth; ``remark`` is what it said against its own result."""

    method: str
    found: float | None
    truth: float
    remark: str = ""

    @property
    def error(self) -> float:
        """How far it is off, as a share of the truth."""
        return abs((self.found or 0.0) / self.truth - 1)


def spread(seed: int, low: float, high: float) -> float:
    """Return a number between two others; those of any number of seeds are spread evenly over a geometric scale."""
    return low * math.exp(math.log(high / low) * (seed * _SPREAD % 1.0))


def device(kind: str, seed: int) -> ComputedDut:
    """Return a device of a kind of ``KINDS``."""
    behaviour = KINDS[kind].model_copy(update={"seed": seed})
    return ComputedDut(behaviour, pauses=_STALLS if kind == "stalls" else None)


@functools.cache
def truth_pps(kind: str, loss_ratio: float, duration_s: float) -> float:
    """Return the greatest load at which half of all trials meet a goal; see ComputedDut.truth_pps."""
    return device(kind, 0).truth_pps(loss_ratio, duration_s)


def ndr_and_pdr(kind: str, seed: int) -> list[Estimate]:
    """Search for NDR and PDR of profile ``standard``, from a greatest load that is another for each seed."""
    return _search(kind, seed, STANDARD.goals)


def strict_goal(kind: str, seed: int) -> list[Estimate]:
    """Search for the throughput of RFC 2544 with trials of 60 s, of which none may lose a frame."""
    return _search(kind, seed, (STRICT,))


def _search(kind: str, seed: int, goals: tuple[RateGoal, ...]) -> list[Estimate]:
    plan = mlr.MlrPlan(
        frame_size_bytes=FRAME_SIZE_BYTES,
        max_rate_pps=spread(seed, 1.2 * CAPACITY_PPS, LINE_PPS),
        goals=goals,
        time_limit_s=_NO_LIMIT_S,
    )
    found = mlr.search(device(kind, seed), plan, Conditions())
    return [
        Estimate(
            goal.name,
            found[goal.name].lower_pps,
            truth_pps(kind, goal.loss_ratio, goal.final_trial_s),
            found[goal.name].remark,
        )
        for goal in goals
    ]


def plain_throughput(kind: str, seed: int) -> list[Estimate]:
    """Search for the throughput by plain bisection with trials of 10 s."""
    plan = throughput.ThroughputPlan(
        frame_size_bytes=FRAME_SIZE_BYTES,
        max_rate_pps=spread(seed, 1.2 * CAPACITY_PPS, LINE_PPS),
        trial_duration_s=STANDARD.throughput_trial_s,
        resolution_ratio=STANDARD.throughput_resolution_ratio,
    )
    found = throughput.search(device(kind, seed), plan, Conditions())
    return [Estimate("throughput", found.lower_pps, truth_pps(kind, 0.0, plan.trial_duration_s), found.remark)]


def loss_curve(kind: str, seed: int) -> list[Estimate]:
    """Measure the frame loss rate; the estimate is the loss at the greatest load, all but the queue above capacity."""
    rate_pps = spread(seed, 1.2 * CAPACITY_PPS, LINE_PPS)
    plan = loss_rate.LossRatePlan(
        frame_size_bytes=FRAME_SIZE_BYTES,
        max_rate_pps=rate_pps,
        line_rate_pps=LINE_PPS,
        limited_by="greatest load tried",
        trial_duration_s=10.0,
    )
    top = loss_rate.measure(device(kind, seed), plan, Conditions()).points[0]
    truth = 1 - CAPACITY_PPS / rate_pps - KINDS[kind].queue_frames / (rate_pps * plan.trial_duration_s)
    return [Estimate("loss rate", top.loss_ratio, truth)]


def burst_length(kind: str, seed: int) -> list[Estimate]:
    """Search for the longest burst through a queue of 16 to 16384 frames."""
    depth = round(spread(seed, 16, 16384))
    dut = device(kind, seed)
    dut = ComputedDut(dut.behaviour.model_copy(update={"queue_frames": depth}), pauses=dut.pauses)
    rate_pps = spread(seed // 2, 1.5 * CAPACITY_PPS, LINE_PPS)
    plan = back_to_back.BackToBackPlan(
        frame_size_bytes=FRAME_SIZE_BYTES, burst_rate_pps=rate_pps, line_rate_pps=LINE_PPS, repetitions=3
    )
    found = back_to_back.measure(dut, plan, Conditions())
    return [Estimate("back-to-back", found.burst_frames, dut.truth_burst_frames(rate_pps))]


def recovery_time(kind: str, seed: int) -> list[Estimate]:
    """Measure the recovery of a device that an overload has out of order for 0.1 ms to 1 s after its end."""
    plan = recovery.RecoveryPlan(
        frame_size_bytes=FRAME_SIZE_BYTES,
        throughput_pps=CAPACITY_PPS,
        max_rate_pps=LINE_PPS,
        limited_by="line rate",
        overload_s=2.0,
        relief_s=2.0,
        repetitions=2,
    )
    truth_s = spread(seed, 1e-4, 1.0)
    dying = _Dying(device(kind, seed), plan.overload_s - 0.1, 0.1 + truth_s)
    return [Estimate("recovery", recovery.measure(dying, plan, Conditions()).recovery_s, truth_s)]


def reset_time(kind: str, seed: int) -> list[Estimate]:
    """Measure the reset of a device that then loses frames for 10 ms to 1 s."""
    truth_s = spread(seed, 0.01, 1.0)
    plan = reset.ResetPlan(
        kind="power", frame_size_bytes=FRAME_SIZE_BYTES, rate_pps=0.9 * CAPACITY_PPS, trial_duration_s=3.0
    )

    def during(measurer: Measurer, action: Callable[[], object], after_s: float) -> _Dying:
        return _Dying(measurer, after_s, truth_s)

    found = reset.measure(device(kind, seed), lambda _kind: None, plan, Conditions(), during)
    return [Estimate("reset", found.by_time_s, truth_s)]


class _Dying:
    """A computed device that dies in each trial, ``after_s`` after its begin."""

    problem = ""

    def __init__(self, dut: Measurer, after_s: float, duration_s: float) -> None:
        self._dut = dut
        self._after_s = after_s
        self._duration_s = duration_s

    def measure(self, request: TrialRequest) -> TrialResult:
        assert isinstance(self._dut, ComputedDut)
        self._dut.die(self._after_s, self._duration_s)
        return self._dut.measure(request)


def latency_median(kind: str, seed: int) -> list[Estimate]:
    """Measure the latency of a device that delays each frame by 2 us to 2 ms, with a fifth of it as jitter."""
    delay_ns = round(spread(seed, 2e3, 2e6))
    behaviour = Behaviour(seed=seed, delay_ns=delay_ns, jitter_ns=delay_ns // 5)
    plan = LatencyPlan(
        frame_size_bytes=FRAME_SIZE_BYTES,
        loads=(LoadPoint(name="50 % of NDR", rate_pps=CAPACITY_PPS / 2),),
        trial_duration_s=2.0,
        repetitions=2,
        tagged_rate_pps=1000.0,
    )
    found = latency.measure(ComputedDut(behaviour), plan, Conditions())
    return [Estimate("latency", found[0].percentiles_us["50"], 1.1 * delay_ns / 1e3)]


def reordered_ratio(kind: str, seed: int) -> list[Estimate]:
    """Measure the order of a device that moves one frame of 20 to 2000 behind fifty others."""
    behaviour = Behaviour(seed=seed, move=Picks(ratio=1 / spread(seed, 20, 2000)), move_places=50)
    plan = QUICK.reordering_plan_at(FRAME_SIZE_BYTES, LoadPoint(name="90 % of NDR", rate_pps=2e6))
    found = reordering.measure(ComputedDut(behaviour), plan, Conditions())
    return [Estimate("reordering", found.records[0].ratio, behaviour.move.ratio)]


def full_load(kind: str, seed: int) -> list[Estimate]:
    """Measure the MRR at a load that is another for each seed: what is served, and what waits at its end."""
    plan = mrr.MrrPlan(
        frame_size_bytes=FRAME_SIZE_BYTES, rate_pps=spread(seed, 1.2 * CAPACITY_PPS, LINE_PPS), limited_by="line rate"
    )
    truth = CAPACITY_PPS + KINDS[kind].queue_frames / plan.trial_duration_s
    return [Estimate("MRR", mrr.measure(device(kind, seed), plan, Conditions()).mean_pps, truth)]


def soak_loss(kind: str, seed: int) -> list[Estimate]:
    """Measure the upper bound of the loss of a device that drops single frames, one of 10^4 to 10^6, in 200 s."""
    lose = Picks(ratio=1 / spread(seed, 1e4, 1e6))
    plan = soak.SoakPlan(
        frame_size_bytes=FRAME_SIZE_BYTES, rate_pps=CAPACITY_PPS / 2, duration_s=200.0, loss_ratio=1e-3
    )
    found = soak.measure(ComputedDut(Behaviour(seed=seed, lose=lose)), plan, Conditions())
    bounded = found.loss_ratio_low <= lose.ratio <= found.loss_ratio_high
    return [Estimate("soak", found.loss_ratio, lose.ratio, "" if bounded else "bounds that do not hold")]


def critical(kind: str, seed: int) -> list[Estimate]:
    """Look for the critical load, of 0.1 % of loss, in 600 s."""
    plan = critical_load.CriticalLoadPlan(
        frame_size_bytes=FRAME_SIZE_BYTES,
        begin_pps=spread(seed, 0.8 * CAPACITY_PPS, 1.1 * CAPACITY_PPS),
        max_rate_pps=spread(seed, 1.2 * CAPACITY_PPS, LINE_PPS),
        loss_ratio=1e-3,
    )
    found = critical_load.search(device(kind, seed), plan, Conditions())
    return [Estimate("critical load", found.lower_pps, truth_pps(kind, plan.loss_ratio, plan.chunk_s))]
