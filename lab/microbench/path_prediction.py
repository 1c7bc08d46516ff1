"""Busy cycles a packet of the running image, beside what is simulated of them from the latency that was just seen.

Private work is measured by threads of the host on one core that shares nothing; nothing is fitted to the result. The
load that was offered is offered to the simulated queue group managers as well, in bursts of as many frames as the
image found in a turn (a turn with few frames costs nearly as much as one with many); only turns that handled frames
count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from lab.microbench.comparison import cycles_alone
from lab.microbench.model import Request
from lab.microbench.path import PathTrial, by_state
from lab.results.model import PathCycles
from lab.simulation.calibration.frozen import Frozen, with_alone
from lab.simulation.facts import HostFacts
from lab.simulation.layout import Layout
from lab.simulation.machine import Machine, host
from lab.simulation.prediction import Band, Question
from lab.simulation.prediction.predictor import samples
from lab.simulation.prediction.quantiles import band
from lab.simulation.workload.case import Case

NO_LINE_GBPS = 1000.0  # the caps of a link say nothing of cycles
BATCH = 64  # of the image: as many frames as it takes from a queue at once (BATCH_MAX)


def compare(
    test: str,
    trials: Sequence[PathTrial],
    layout: Layout,
    *,
    ports: int,
    cores: int,
    frozen: Frozen | None = None,
    jobs: int = 1,
) -> tuple[PathCycles, ...]:
    """Predict the busy cycles a packet in each state that the machine was seen in, beside those measured.

    Args:
        test: that measured.
        trials: of the running image.
        layout: of that image, from its manifest.
        ports: of the image.
        cores: queue group managers.
        frozen: calibrated parameters of this host, None for priors.
        jobs: simulations at a time.

    Returns:
        One comparison for each state; none where every trial was disturbed.

    Raises:
        LabError: the microbenchmark of the private work does not run.
        SimulationError: ports and cores do not fit the simulated workload.

    """
    found = []
    for state, members in by_state(trials):
        frames = _median(members, lambda one: one.frames_a_turn)
        forwarded_pps = _median(members, lambda one: one.forwarded_pps)
        work_cycles = cycles_alone(Request(bench="forward", batch=min(max(round(frames), 1), BATCH)))
        facts = facts_of(members)
        case = _case(ports, cores, frames, forwarded_pps)
        question = Question(_machine(facts, work_cycles, frozen), "virtio", layout, case, frozen=frozen)
        predicted = busy_cycles(question, facts.tsc_hz, jobs)
        measured = sorted(one.cycles_a_packet for one in members)
        found.append(
            PathCycles(
                test=test,
                state=state,
                c2c_ns=facts.c2c_latency_ns_median,
                forwarded_pps=forwarded_pps,
                frames_a_turn=frames,
                work_cycles=work_cycles,
                measured_cycles=median(measured),
                measured_least=measured[0],
                measured_greatest=measured[-1],
                predicted_low=predicted.low,
                predicted_median=predicted.median,
                predicted_high=predicted.high,
                ratio=median(measured) / predicted.median,
                trials=len(members),
            )
        )
    return tuple(found)


def _case(ports: int, cores: int, frames_a_turn: float, offered_pps: float) -> Case:
    burst = max(round(frames_a_turn * cores / ports), 1)
    return Case(
        ports=ports, cores=cores, batch=BATCH, line_rate_gbps=NO_LINE_GBPS, offered_pps=offered_pps, burst=burst
    )


def _machine(facts: HostFacts, work_cycles: float, frozen: Frozen | None) -> Machine:
    """Return this host with its private work, which was measured in cycles of the time stamp counter."""
    machine = host(facts) if frozen is None else with_alone(host(facts), frozen.alone)
    return machine.with_work(work_cycles * 1e9 * machine.ranges["clock"].median / facts.tsc_hz)


def busy_cycles(question: Question, tsc_hz: float, jobs: int = 1) -> Band:
    """Return the cycles of the time stamp counter that a core is busy with a packet.

    Args:
        question: of a workload that tells.
        tsc_hz: what the counter counts; the core's own clock may be faster.
        jobs: simulations at a time.

    Raises:
        SimulationError: ports and cores do not fit the workload.

    """
    return band([1e-9 * tsc_hz * one.busy_ns for one in samples(question, jobs) if one.busy_ns is not None])


def facts_of(trials: Sequence[PathTrial]) -> HostFacts:
    """Return what was seen of the machine around some trials, as the medians of what each probe saw."""
    seen = [facts for one in trials for facts in (one.before, one.after)]
    return HostFacts(
        tsc_hz=median(facts.tsc_hz for facts in seen),
        c2c_latency_ns_low=median(facts.c2c_latency_ns_low for facts in seen),
        c2c_latency_ns_median=median(facts.c2c_latency_ns_median for facts in seen),
        c2c_latency_ns_high=median(facts.c2c_latency_ns_high for facts in seen),
        windows=sum(facts.windows for facts in seen),
        interrupted_windows=sum(facts.interrupted_windows for facts in seen),
    )


def _median(trials: Sequence[PathTrial], value: Callable[[PathTrial], float]) -> float:
    return median(map(value, trials))
