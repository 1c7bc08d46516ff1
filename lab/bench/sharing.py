"""Packed against padded layout: messages and frames between two cores of this host, in turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from lab.bench.model import BenchResult
from lab.errors import LabError
from lab.metrics.ratio import compare
from lab.microbench import interleaved
from lab.microbench.comparison import LAYOUTS
from lab.microbench.host import HostBench, cpus
from lab.microbench.model import Bench, Layout, Machine, Request

BATCHES = (1, 8, 32, 64)
BLOCKS = 25


def ring_packed_vs_padded() -> Iterator[BenchResult]:
    """Compare messages a second over one ring; see :func:`_compare`."""
    return _compare("ring", "messages/s")


def forward_packed_vs_padded() -> Iterator[BenchResult]:
    """Compare frames a second routed to random destinations; see :func:`_compare`."""
    return _compare("forward", "frames/s")


def _compare(bench: Bench, unit: str) -> Iterator[BenchResult]:
    """Compare the layouts at each batch size.

    Yields:
        The packed rate for each batch and each state that the machine was seen in; ``ratio`` is that to the padded
        rate, with its interval of 95 % confidence; tagged with the core-to-core latency of just these windows.

    Raises:
        LabError: the programs are not built, lose messages, or the machine never stayed in one state.

    """
    if len(cpus()) < 2:
        raise LabError(f"bench {bench}-packed-vs-padded: this host has one processor, and it takes two")
    with ExitStack() as stack:
        machines: dict[Layout, Machine] = {
            layout: stack.enter_context(HostBench(layout, cpus()[:2])) for layout in LAYOUTS
        }
        for batch in BATCHES:
            windows = interleaved.measure(machines, Request(bench=bench, batch=batch), BLOCKS)
            if not all(window.verified for _, window in windows):
                raise LabError(f"bench {bench}-packed-vs-padded: messages were lost, altered or out of order")
            ratios = compare(interleaved.observations(windows), "packed", "padded")
            if not ratios:
                raise LabError(f"bench {bench}-packed-vs-padded: the machine never stayed in one state: run it again")
            for ratio in ratios:
                yield BenchResult(
                    bench=f"{bench}-packed-vs-padded:batch-{batch}",
                    value=ratio.rate,
                    unit=unit,
                    against="the padded layout",
                    ratio=ratio.ratio,
                    ratio_low=ratio.low,
                    ratio_high=ratio.high,
                    runs=ratio.windows,
                    c2c_latency_ns=ratio.c2c_ns,
                    note=f"windows of 20 ms, {ratio.left_out} disturbed ones left out; state {ratio.state}",
                )
