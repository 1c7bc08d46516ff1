"""Measurements of a machine that is simulated: what a calibration must find is known."""

from collections.abc import Sequence

from lab.simulation.calibration.measure import CLOCK, STORES, Measurement, Window, memory_sizes_bytes
from lab.simulation.calibration.points import Point
from lab.simulation.calibration.simulated import rate
from lab.simulation.machine import Machine

ROUNDS = 8
TSC_HZ = 2.6e9


def window(point: str, number: int, operations: float, latency_ns: float, gap_us: float = 1.0) -> Window:
    return Window(
        point=point, round=number, rate=operations, before_ns=latency_ns, after_ns=latency_ns, gap_us=gap_us, wrong=0
    )


def alone_windows(rounds: int = ROUNDS) -> list[Window]:
    """Return those of one CPU by itself: 3 GHz, loads of 2, 5, 20 and 100 ns."""
    loads = zip(memory_sizes_bytes().values(), (2, 5, 20, 100), strict=True)
    named = [(CLOCK, 3e9), (STORES, 5.9e9), *((f"chase:{size}", 1e9 / ns) for size, ns in loads)]
    return [window(name, number, operations, 60) for number in range(rounds) for name, operations in named]


def measurement(
    machine: Machine, numbers: dict[str, float], points: Sequence[Point], latencies_ns: Sequence[float] = (60,)
) -> Measurement:
    """Return what a probe would have measured of a machine with these numbers, in a state for each latency."""
    windows = alone_windows()
    for latency_ns in latencies_ns:
        for point in points:
            found = rate(machine, numbers, point, latency_ns, seed=99)
            windows += [window(point.text, number, found * (1 + 0.01 * number), latency_ns) for number in range(ROUNDS)]
    return Measurement(cpus=(0, 1), tsc_hz=TSC_HZ, fifo=False, windows=tuple(windows))
