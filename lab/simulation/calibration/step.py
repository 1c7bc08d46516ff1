"""Finds where a curve jumps: the count up to which something fits.

Such a curve is a line with a small slope (each instruction takes a little time of its own), one step up, and noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 3
"""Points on each side of a step; fewer would call the noise of the first or last one a step."""
JUMP = 0.5
"""Least height, in times before it: a second miss that no longer overlaps takes as long as the first."""
NOISE = 6.0
"""Least height, in median errors of what line and step leave over."""
CUT = 2.5
"""What takes so many times the shortest is cut off there: a third wave of misses, a core that was taken away."""


@dataclass(frozen=True)
class Step:
    """A line with a step: ``line`` without it, at each count; from point ``first`` on it is higher by ``height``."""

    first: int
    height: float
    line: NDArray[np.float64]


def last_that_fits(counts: Sequence[int], ticks: Sequence[float]) -> int | None:
    """Return the largest count before the step; None where there is no step.

    Args:
        counts: rising.
        ticks: the time of each, in any unit.

    """
    if len(counts) < 2 * FEWEST + 1:
        return None
    times = np.minimum(ticks, CUT * np.quantile(ticks, 0.05))
    rough = fit(counts, times)
    times = np.minimum(times, rough.line + rough.height)  # no point says more than that it does not fit
    found = fit(counts, times)
    error = float(np.median(np.abs(times - found.line - found.height * (np.arange(len(counts)) >= found.first))))
    before = float(np.median(times[: found.first]))
    if found.height < JUMP * before or found.height <= NOISE * error:
        return None
    return counts[found.first - 1]


def fit(counts: Sequence[int], times: NDArray[np.float64]) -> Step:
    """Return the line with a step upwards that leaves the smallest squares; it has one slope on both sides.

    Args:
        counts: at least twice :data:`FEWEST`.
        times: as many.

    """
    size = len(counts)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(size), counts]))
    steps = np.tri(size)[:, FEWEST : size - FEWEST + 1]  # column j: 1 from point FEWEST + j on
    upright = steps - basis @ (basis.T @ steps)  # without what a line explains
    power = np.sum(upright**2, axis=0)
    heights = np.maximum(upright.T @ times / power, 0)
    best = int(np.argmax(heights**2 * power))  # by so much the step makes the squares smaller
    line = basis @ (basis.T @ (times - heights[best] * steps[:, best]))
    return Step(first=FEWEST + best, height=float(heights[best]), line=line)
