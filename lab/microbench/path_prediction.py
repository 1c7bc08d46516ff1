"""Busy cycles a packet of the running image, beside what is simulated of them from the latency that was just seen.

Private work is measured by threads of the host on one core that shares nothing; nothing is fitted to the result. The
simulated queue group managers handle as many frames a turn as the image's did: a turn with few frames costs nearly as
much as one with many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from lab.microbench.comparison import cycles_alone
from lab.microbench.model import Request
from lab.microbench.path import PathTrial, by_state
from lab.results.model import PathCycles
from lab.simulation.facts import HostFacts
from lab.simulation.layout import Layout
from lab.simulation.machine import host
from lab.simulation.prediction import Band, Question, predict
from lab.simulation.workload.case import Case

NO_LINE_GBPS = 1000.0  # the caps of a link say nothing of cycles


def compare(
    test: str, trials: Sequence[PathTrial], layout: Layout, *, ports: int, cores: int, jobs: int = 1
) -> tuple[PathCycles, ...]:
    """Predict the busy cycles a packet in each state that the machine was seen in, beside those measured.

    Args:
        test: that measured.
        trials: of the running image.
        layout: of that image, from its manifest.
        ports: of the image.
        cores: queue group managers.
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
        work_cycles = cycles_alone(Request(bench="forward", batch=min(max(round(frames), 1), 64)))
        facts = facts_of(members)
        case = Case(ports=ports, cores=cores, batch=max(round(frames * cores / ports), 1), line_rate_gbps=NO_LINE_GBPS)
        question = Question(host(facts).with_work(work_cycles), "virtio", layout, case)
        predicted = cycles_a_packet(predict(question, jobs).rate_pps, facts.tsc_hz, cores)
        measured = sorted(one.cycles_a_packet for one in members)
        found.append(
            PathCycles(
                test=test,
                state=state,
                c2c_ns=facts.c2c_latency_ns_median,
                forwarded_pps=_median(members, lambda one: one.forwarded_pps),
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


def cycles_a_packet(rate_pps: Band, clock_hz: float, cores: int) -> Band:
    """Return the cycles that always busy cores spend on a packet, at a rate of them all in packets a second."""
    low, middle, high = (cores * clock_hz / rate for rate in (rate_pps.high, rate_pps.median, rate_pps.low))
    return Band(low=low, median=middle, high=high)


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
