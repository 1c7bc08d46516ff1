"""Both layouts in turns, A B B A, so that what drifts meets both alike."""

from __future__ import annotations

from collections.abc import Mapping

from lab.metrics.ratio import Observation
from lab.microbench.model import Layout, Machine, Request, Window, run

TURNS: tuple[Layout, ...] = ("padded", "packed", "packed", "padded")


def measure(machines: Mapping[Layout, Machine], request: Request, blocks: int) -> tuple[tuple[int, Window], ...]:
    """Run a benchmark for some blocks of four windows.

    Args:
        machines: one for each layout.
        request: what to run.
        blocks: how many times A B B A.

    Returns:
        The windows in their order, each with the number of its block.

    Raises:
        LabError: a machine refuses.

    """
    return tuple(
        (block, window)
        for block in range(blocks)
        for layout in TURNS
        for window in run(machines[layout], request, windows=1)
    )


def observations(windows: tuple[tuple[int, Window], ...]) -> tuple[Observation, ...]:
    """Return what lab.metrics.ratio needs of the windows."""
    return tuple(
        Observation(
            block=block,
            side=window.layout,
            rate=window.rate_mps,
            c2c_ns=window.c2c_ns,
            disturbed=window.disturbed or (window.cores > 1 and window.c2c_ns is None),
        )
        for block, window in windows
    )
