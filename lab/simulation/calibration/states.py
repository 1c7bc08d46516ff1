"""What the windows of a measurement say, near and far kept apart.

On a shared host the latency between two CPUs jumps between values minutes apart, and every rate with it. A window whose
latency jumped, or in which a thread was taken off its CPU, says nothing; it is left out and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from lab.metrics.ratio import SPLIT_RATIO, boundary_ns
from lab.models import Model
from lab.simulation.calibration.held import Held, held
from lab.simulation.calibration.measure import CLOCK, STORES, Measurement, Window, memory_sizes_bytes
from lab.simulation.calibration.points import Point
from lab.simulation.calibration.spread import Spread, spread
from lab.simulation.errors import SimulationError

StateName = Literal["all", "near", "far"]
GAP_LIMIT_US = 50.0  # longer than any turn of a ring; a thread that was away so long had lost its CPU
ENOUGH = 5  # windows of a point, below which its median says little


class Measured(Model):
    """One point in one state: rates in operations a second, the latency around its windows in ns (one way)."""

    point: Point
    rate: Spread
    latency_ns: float
    windows: int


class State(Model):
    """The machine as it was in some of the windows; ``all`` where it was in one state all the time."""

    name: StateName
    latency_ns: Spread
    measured: tuple[Measured, ...]
    windows: int
    left_out: int

    def of(self, points: Sequence[Point]) -> tuple[Measured, ...]:
        """Return what was measured of these points.

        Raises:
            SimulationError: one has too few windows.

        """
        known = {each.point: each for each in self.measured}
        for point in points:
            if point not in known or known[point].windows < ENOUGH:
                count = known[point].windows if point in known else 0
                raise SimulationError(
                    f"calibration: {count} whole windows of {point.title!r} in state {self.name}, needs {ENOUGH}: "
                    "measure for longer (--seconds), or when nothing else runs here"
                )
        return tuple(known[point] for point in points)


class Alone(Model):
    """What one CPU does by itself.

    Its clock, stores to one line that commit in a cycle, the latency of loads that wait for each other, by where they
    hit, and how much it holds in flight.
    """

    clock_ghz: Spread
    stores_a_cycle: float
    load_ns: dict[str, Spread]
    held: Held


def whole(window: Window) -> bool:
    """Whether nothing interrupted a window and its latency stayed what it was."""
    low, high = sorted((window.before_ns, window.after_ns))
    return window.gap_us <= GAP_LIMIT_US and high < SPLIT_RATIO * low


def latency_ns(window: Window) -> float:
    """Return the one-way core-to-core latency that a window saw."""
    return float(np.sqrt(window.before_ns * window.after_ns))


def states(found: Measurement, points: Sequence[Point]) -> tuple[State, ...]:
    """Sort windows by the latency that they saw; the nearest state first.

    Raises:
        SimulationError: no window is whole.

    """
    windows = [window for window in found.windows if any(point.text == window.point for point in points)]
    good = [window for window in windows if whole(window)]
    if not good:
        raise SimulationError(
            f"calibration: all {len(windows)} windows were interrupted: measure when nothing else runs here"
        )
    boundary = boundary_ns([latency_ns(window) for window in good])
    if boundary is None:
        return (_state("all", good, points, len(windows) - len(good)),)
    near = [window for window in good if latency_ns(window) < boundary]
    far = [window for window in good if latency_ns(window) >= boundary]
    return _state("near", near, points, len(windows) - len(good)), _state("far", far, points, 0)


def alone(found: Measurement) -> Alone:
    """Summarize clock, stores, memory latency and what the CPU holds in flight.

    Raises:
        SimulationError: one of them has no whole window.

    """

    def rates(name: str) -> list[float]:
        kept = [each.rate for each in found.windows if each.point == name and each.gap_us <= GAP_LIMIT_US]
        if not kept:
            raise SimulationError(f"calibration: no whole window of {name!r}: measure when nothing else runs here")
        return kept

    return Alone(
        clock_ghz=spread([rate * 1e-9 for rate in rates(CLOCK)]),
        stores_a_cycle=float(np.median(rates(STORES)) / np.median(rates(CLOCK))),
        load_ns={
            where: spread([1e9 / rate for rate in rates(f"chase:{size}")])
            for where, size in memory_sizes_bytes().items()
        },
        held=held(found.curves, found.no_curves),
    )


def _state(name: StateName, windows: list[Window], points: Sequence[Point], left_out: int) -> State:
    measured = []
    for point in points:
        own = [window for window in windows if window.point == point.text]
        if own:
            latency = float(np.median([latency_ns(window) for window in own]))
            rate = spread([window.rate for window in own])
            measured.append(Measured(point=point, rate=rate, latency_ns=latency, windows=len(own)))
    latencies = [latency_ns(window) for window in windows]
    return State(
        name=name,
        latency_ns=spread(latencies),
        measured=tuple(measured),
        windows=len(windows),
        left_out=left_out,
    )
