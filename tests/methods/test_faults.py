"""A fault in the middle of a method: an invalid trial with its reason or one line of an error, never a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from lab.dut.computed import ComputedDut
from lab.errors import DutError, GeneratorError, LabError, WrongFramesReceived
from lab.methods import (
    back_to_back,
    critical_load,
    latency,
    load_limit,
    loss_rate,
    mlr,
    mrr,
    recovery,
    reordering,
    reset,
    soak,
    throughput,
)
from lab.methods.goals import NDR, PDR
from lab.methods.latency import LatencyPlan, LoadPoint
from lab.methods.repeat import Conditions, TooDisturbed, TrialEvent
from lab.methods.trial import Measurer, TrialRequest, TrialResult, WrongFrames
from lab.testbed.behaviour import Behaviour

CAPACITY_PPS = 1e6
TOP_PPS = 1.8e6
SIZE = 64
FLAP = "the link of port 0 went down during the trial, 12.3 ms after its begin, for 4.5 ms"
RESTART = "boot 2, not 1"
HALF = LoadPoint(name="50 % of NDR", rate_pps=CAPACITY_PPS / 2)


def device() -> ComputedDut:
    return ComputedDut(Behaviour(capacity_pps=CAPACITY_PPS, delay_ns=10_000))


Method = Callable[[Measurer, Conditions], Any]


def _mlr(measurer: Measurer, conditions: Conditions) -> Any:
    plan = mlr.MlrPlan(frame_size_bytes=SIZE, max_rate_pps=TOP_PPS, goals=(NDR, PDR), time_limit_s=1e6)
    return mlr.search(measurer, plan, conditions)


def _throughput(measurer: Measurer, conditions: Conditions) -> Any:
    plan = throughput.ThroughputPlan(
        frame_size_bytes=SIZE, max_rate_pps=TOP_PPS, trial_duration_s=1.0, resolution_ratio=0.01
    )
    return throughput.search(measurer, plan, conditions)


def _loss_rate(measurer: Measurer, conditions: Conditions) -> Any:
    plan = loss_rate.LossRatePlan(
        frame_size_bytes=SIZE,
        max_rate_pps=TOP_PPS,
        line_rate_pps=TOP_PPS,
        limited_by="line rate",
        trial_duration_s=1.0,
    )
    return loss_rate.measure(measurer, plan, conditions)


def _back_to_back(measurer: Measurer, conditions: Conditions) -> Any:
    plan = back_to_back.BackToBackPlan(
        frame_size_bytes=SIZE, burst_rate_pps=TOP_PPS, line_rate_pps=TOP_PPS, repetitions=3
    )
    return back_to_back.measure(measurer, plan, conditions)


def _recovery(measurer: Measurer, conditions: Conditions) -> Any:
    plan = recovery.RecoveryPlan(
        frame_size_bytes=SIZE,
        throughput_pps=CAPACITY_PPS,
        max_rate_pps=TOP_PPS,
        limited_by="line rate",
        overload_s=1.0,
        relief_s=1.0,
        repetitions=3,
    )
    return recovery.measure(measurer, plan, conditions)


def _reset(measurer: Measurer, conditions: Conditions) -> Any:
    def during(inner: Measurer, action: Callable[[], object], after_s: float) -> _Resetting:
        return _Resetting(inner, action)

    plan = reset.ResetPlan(
        kind="power", frame_size_bytes=SIZE, rate_pps=CAPACITY_PPS / 2, trial_duration_s=3.0, repetitions=3
    )
    return reset.measure(measurer, lambda _kind: None, plan, conditions, during)


def _latency(measurer: Measurer, conditions: Conditions) -> Any:
    plan = LatencyPlan(
        frame_size_bytes=SIZE, loads=(HALF,), trial_duration_s=0.5, repetitions=3, tagged_rate_pps=1000.0
    )
    return latency.measure(measurer, plan, conditions)


def _reordering(measurer: Measurer, conditions: Conditions) -> Any:
    plan = reordering.ReorderingPlan(frame_size_bytes=SIZE, load=HALF, trial_duration_s=0.1, tagged_rate_pps=10_000.0)
    return reordering.measure(measurer, plan, conditions)


def _soak(measurer: Measurer, conditions: Conditions) -> Any:
    plan = soak.SoakPlan(frame_size_bytes=SIZE, rate_pps=CAPACITY_PPS / 2, duration_s=5.0, loss_ratio=0.01)
    return soak.measure(measurer, plan, conditions)


def _critical_load(measurer: Measurer, conditions: Conditions) -> Any:
    plan = critical_load.CriticalLoadPlan(
        frame_size_bytes=SIZE, begin_pps=CAPACITY_PPS, max_rate_pps=TOP_PPS, loss_ratio=0.001, budget_s=30.0
    )
    return critical_load.search(measurer, plan, conditions)


def _mrr(measurer: Measurer, conditions: Conditions) -> Any:
    plan = mrr.MrrPlan(frame_size_bytes=SIZE, rate_pps=TOP_PPS, limited_by="line rate", repetitions=3)
    return mrr.measure(measurer, plan, conditions)


def _offerable(measurer: Measurer, conditions: Conditions) -> Any:
    limit = load_limit.load_limit(SIZE, 10.0, 2, TOP_PPS)
    return load_limit.offerable(measurer, limit, SIZE, conditions)


METHODS: dict[str, Method] = {
    "NDR+PDR": _mlr,
    "throughput": _throughput,
    "loss rate": _loss_rate,
    "back-to-back": _back_to_back,
    "recovery": _recovery,
    "reset": _reset,
    "latency": _latency,
    "reordering": _reordering,
    "soak": _soak,
    "critical load": _critical_load,
    "MRR": _mrr,
    "offerable": _offerable,
}


class _Resetting:
    """The DUT of the reset test loses what comes for 0.25 s, from one second on."""

    problem = ""

    def __init__(self, inner: Measurer, action: Callable[[], object]) -> None:
        self._inner = inner
        self._action = action

    def measure(self, request: TrialRequest) -> TrialResult:
        self._action()
        faulty = self._inner
        dut = faulty.dut if isinstance(faulty, Faulty) else faulty
        assert isinstance(dut, ComputedDut)
        dut.die(1.0, 0.25)
        return self._inner.measure(request)


@dataclass
class Faulty:
    """A measurer with a fault in the trials ``since`` to before ``until``, counted from 0."""

    dut: ComputedDut
    fault: Callable[[TrialResult], TrialResult]
    since: float
    until: float
    trials: int = 0

    def measure(self, request: TrialRequest) -> TrialResult:
        result = self.dut.measure(request)
        self.trials += 1
        return self.fault(result) if self.since <= self.trials - 1 < self.until else result


def _with_loss(result: TrialResult, share: float, **facts: Any) -> TrialResult:
    """Lose a share of what had arrived: a number that must not be believed."""
    directions = tuple(
        d.model_copy(update={"received_frames": int(d.received_frames * (1 - share))}) for d in result.directions
    )
    return result.model_copy(update={"directions": directions, **facts})


def generator_crashes(result: TrialResult) -> TrialResult:
    raise GeneratorError("vtrex ended during a trial: its engine was ended by signal 9")


def dut_is_gone(result: TrialResult) -> TrialResult:
    raise DutError("it does not answer 'stats': its console is silent")


def link_flaps(result: TrialResult) -> TrialResult:
    return _with_loss(result, 0.9, invalid=(FLAP,))


def dut_reboots(result: TrialResult) -> TrialResult:
    return _with_loss(result, 0.9, dut_restart=RESTART)


FAULTS = {
    "generator crashes": (generator_crashes, "the generator failed: vtrex ended"),
    "DUT is gone": (dut_is_gone, "the DUT failed: it does not answer"),
    "link flaps": (link_flaps, FLAP),
    "DUT reboots": (dut_reboots, f"the DUT restarted during the trial: {RESTART}"),
}
MEANT = {("reset", "DUT reboots"), ("reset", "link flaps")}
"""What a reset does: nobody can tell it from another one."""
PASSED_ON = {("offerable", "link flaps")}
"""A limit is found where each trial has a doubt; it is those who search below it that end."""
CASES = [(method, fault) for method in METHODS for fault in FAULTS if (method, fault) not in MEANT]


def numbers(result: Any) -> Any:
    """Return all that a method found, but for how many trials it took."""
    if isinstance(result, dict):
        return {name: numbers(one) for name, one in result.items()}
    if isinstance(result, tuple):
        return tuple(numbers(one) for one in result)
    return result.model_dump(exclude={"trials", "invalid_trials"})


def undisturbed(method: str) -> tuple[Any, int]:
    dut = device()
    return numbers(METHODS[method](dut, Conditions())), len(dut.requests)


@pytest.mark.parametrize(("method", "fault"), CASES)
def test_a_fault_in_the_middle_is_an_invalid_trial_and_moves_nothing(method: str, fault: str) -> None:
    """Steps: the fault in the first, the middle and the last trial. Verify: its reason is told, the numbers hold."""
    happens, reason = FAULTS[fault]
    truth, trials = undisturbed(method)
    for at in sorted({0, trials // 2, trials - 1}):
        told: list[TrialEvent] = []
        faulty = Faulty(device(), happens, at, at + 1)
        conditions = Conditions(progress=told.append, recover=lambda: None)
        assert numbers(METHODS[method](faulty, conditions)) == truth
        assert faulty.trials == trials + 1
        assert [bool(event.result.invalid) for event in told] == [number == at for number in range(trials + 1)]
        assert any(one.startswith(reason) for one in told[at].result.invalid)


@pytest.mark.parametrize(("method", "fault"), [case for case in CASES if case not in PASSED_ON])
def test_a_fault_that_stays_ends_the_method_with_one_line(method: str, fault: str) -> None:
    happens, reason = FAULTS[fault]
    _, trials = undisturbed(method)
    middle = trials // 2
    faulty = Faulty(device(), happens, middle, float("inf"))
    with pytest.raises(LabError) as failure:
        METHODS[method](faulty, Conditions(recover=lambda: None))
    assert isinstance(failure.value, (GeneratorError, DutError, TooDisturbed))
    assert len(str(failure.value).splitlines()) == 1
    assert reason.split(": ", 1)[-1] in str(failure.value)
    assert failure.value.exit_code
    assert faulty.trials <= middle + Conditions().attempts + 12


@pytest.mark.parametrize("method", METHODS)
def test_wrong_frames_end_the_method_at_once(method: str) -> None:
    def wrong(result: TrialResult) -> TrialResult:
        found = WrongFrames(kind="wrong_content", frames=3, port=1, reason="byte 40", first_hex="0102")
        first = result.directions[0].model_copy(update={"wrong": (found,)})
        return result.model_copy(update={"directions": (first, *result.directions[1:])})

    _, trials = undisturbed(method)
    middle = trials // 2
    faulty = Faulty(device(), wrong, middle, middle + 1)
    with pytest.raises(WrongFramesReceived, match="3 frames with wrong content"):
        METHODS[method](faulty, Conditions(recover=lambda: None))
    assert faulty.trials == middle + 1
