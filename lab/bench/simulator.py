"""How fast the simulator is: the C kernel against the plain-Python reference, on the same scene."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.bench.model import BenchResult
from lab.simulation import native, reference
from lab.simulation.caps import line_rate_pps
from lab.simulation.errors import SimulationError
from lab.simulation.layout import LayoutName, default
from lab.simulation.scene import Outcome, Scene, Timing
from lab.simulation.workload import routing
from lab.simulation.workload.shape import FORWARDED, Run, Shape

CORES = 8
KERNEL_PS = 300_000_000
REFERENCE_PS = 3_000_000
RUNS = 5
LAYOUTS: tuple[LayoutName, ...] = ("padded", "packed")
TIMING = Timing(
    l1_ps=1429,
    issue_ps=357,
    shared_cache_ps=12_143,
    commit_ps=357,
    locked_ps=7143,
    hold_ps=3000,
    window_ps=30_000,
    overlap_ps=4500,
    concurrent_misses=8,
    store_buffer_entries=36,
    jitter=179,
    upgrade=512,
)
"""The medians of the talk's machine: 2.8 GHz."""


@dataclass(frozen=True)
class Pace:
    """What one core simulates in a second."""

    accesses: float
    packets: float


def simulator(kernel_ps: int = KERNEL_PS, reference_ps: int = REFERENCE_PS, runs: int = RUNS) -> Iterator[BenchResult]:
    """Simulate eight cores that route between eight ports, in turns with each kernel.

    Args:
        kernel_ps: simulated time of a run of the C kernel.
        reference_ps: of the reference.
        runs: of each.

    Yields:
        Millions of accesses that one core simulates in a second of its time; ``ratio`` is that over the reference's.

    Raises:
        SimulationError: the C kernel is not built.

    """
    if not native.available():
        raise SimulationError("bench simulator: the C kernel is not built; run: make native")
    for layout in LAYOUTS:
        long, short = scene(layout, kernel_ps), scene(layout, reference_ps)
        ours, theirs = [], []
        for _ in range(runs):
            ours.append(pace(native.simulate, long))
            theirs.append(pace(reference.simulate, short))
        packets = statistics.median(each.packets for each in ours)
        yield BenchResult(
            bench="simulator" if layout == LAYOUTS[0] else f"simulator:{layout}",
            value=statistics.median(each.accesses for each in ours) / 1e6,
            unit="M accesses/s",
            against="plain Python",
            ratio=statistics.median(a.accesses / b.accesses for a, b in zip(ours, theirs, strict=True)),
            runs=runs,
            note=f"one core, {CORES} simulated cores and ports, {layout}; {packets / 1e6:.2f} M packets/s",
        )


def scene(layout: LayoutName, end_ps: int) -> Scene:
    """Return the talk's machine with work of 175 cycles a packet, near and far as published."""
    shape = Shape(
        ports=CORES,
        cores=CORES,
        sockets=2,
        batch=32,
        work_ps=62_500,
        doorbell_ps=72_500,
        arrival_ps=int(1e12 / line_rate_pps(10, 64)),
        near_ps=25_257,
        far_ps=106_857,
        touched=2,
        range_bytes=64,
    )
    return routing.scene(shape, default(layout, CORES), Run(TIMING, 1, end_ps // 4, end_ps))


def pace(simulate: Callable[[Scene], Outcome], of: Scene) -> Pace:
    """Return what one core simulates in a second of its own time, of which other processes have no share."""
    begun_s = time.thread_time()
    outcome = simulate(of)
    used_s = time.thread_time() - begun_s
    packets = sum(stats[FORWARDED] for stats in outcome.stats[:CORES])
    return Pace(outcome.accesses / used_s, packets / used_s)
