"""What the simulator says of a point of the calibration, for any numbers of the core model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from lab.simulation import native
from lab.simulation.calibration.points import Point
from lab.simulation.machine import Machine
from lab.simulation.workload.built import Window

WARM_PS = 12_000_000
WINDOW_PS = 30_000_000


def rate(machine: Machine, numbers: Mapping[str, float], point: Point, latency_ns: float, seed: int = 1) -> float:
    """Return the operations a second of a point: the mean of both regimes of a ring (workload/spsc.py).

    Args:
        machine: of the host.
        numbers: one draw.
        point: which.
        latency_ns: one-way core-to-core latency as measured around the point's windows.
        seed: of the jitter.

    Raises:
        SimulationError: the numbers make no machine.

    """
    found = []
    for either in (2 * seed, 2 * seed + 1):
        window = Window(either, WARM_PS, WARM_PS + WINDOW_PS)
        built = point.workload.build(machine, {**numbers, "near": latency_ns}, point.case, point.layout, window)
        found.append(built.rate_pps(native.simulate(built.scene)))
    return sum(found) / len(found)


def rates(
    machine: Machine,
    draws: Sequence[Mapping[str, float]],
    asked: Sequence[tuple[Point, float]],
    jobs: int | None = None,
) -> NDArray[np.float64]:
    """Return the rate of each draw (row) at each point with its latency in ns (column), on all CPUs by default."""

    def row(at: int) -> list[float]:
        return [rate(machine, draws[at], point, latency_ns, seed=at + 1) for point, latency_ns in asked]

    with ThreadPoolExecutor(jobs or len(os.sched_getaffinity(0))) as pool:
        return np.array(list(pool.map(row, range(len(draws)))), dtype=float).reshape(len(draws), len(asked))
