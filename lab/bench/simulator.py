"""How fast the simulator is: the C kernel against the plain-Python reference, on the same scene."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.bench.model import BenchResult
from lab.simulation import machines, native, reference
from lab.simulation.errors import SimulationError
from lab.simulation.layout import LayoutName, default
from lab.simulation.scene import Outcome, Scene
from lab.simulation.workload.built import Built, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.catalogue import workload

MACHINE, WORKLOAD, CORES = "e5-2670x2", "ipv4-routing", 8
KERNEL_PS = 1_000_000_000
REFERENCE_PS = 3_000_000
RUNS = 5
LAYOUTS: tuple[LayoutName, ...] = ("padded", "packed")


@dataclass(frozen=True)
class Pace:
    """What one core simulates in a second."""

    accesses: float
    packets: float


def simulator(kernel_ps: int = KERNEL_PS, reference_ps: int = REFERENCE_PS, runs: int = RUNS) -> Iterator[BenchResult]:
    """Simulate the talk's machine, eight cores that route between eight ports, in turns with each kernel.

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
        long, short = built(layout, kernel_ps), built(layout, reference_ps)
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


def built(layout: LayoutName, end_ps: int) -> Built:
    """Return the medians of the talk's machine in the default layout of that name."""
    machine = machines.load(MACHINE)
    numbers = {name: each.median for name, each in machine.ranges.items()}
    case = Case(cores=CORES, ports=CORES)
    window = Window(seed=1, warm_ps=end_ps // 4, end_ps=end_ps)
    return workload(WORKLOAD).build(machine, numbers, case, default(layout, CORES), window)


def pace(simulate: Callable[[Scene], Outcome], of: Built) -> Pace:
    """Return what one core simulates in a second of its own time, of which other processes have no share."""
    begun_s = time.thread_time()
    outcome = simulate(of.scene)
    used_s = time.thread_time() - begun_s
    packets = sum(outcome.stats[agent][of.done] for agent in of.counting)
    return Pace(outcome.accesses / used_s, packets / used_s)
