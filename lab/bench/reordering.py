"""What all metrics of reordering cost, beside a plain implementation of the same definitions."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lab.bench.model import BenchResult
from lab.bench.plain_order import Packet, everything
from lab.metrics.order.accumulator import THRESHOLD, WINDOW, order_detail

PACKETS = 1_000_000
SAMPLE = 1_000
RUNS = 5
SIZE_BYTES = 64
FRAME_TIME_NS = 672
SPREAD = 50
"""Packets; a delayed one is by at most so many."""
STREAMS = {"in order": 0.0, "a tenth delayed": 0.1, "all delayed": 1.0}
"""The share of packets that are delayed."""
LOSS = COPIES = 0.001

Numbers = npt.NDArray[np.int64]


def stream(packets: int, delayed: float) -> Numbers:
    """Return the numbers of a stream in order of arrival, with a thousandth lost and a thousandth sent twice.

    Args:
        packets: about how many arrive.
        delayed: share of them that are.

    """
    random = np.random.default_rng(1)
    sent = np.flatnonzero(random.random(packets) >= LOSS)
    sent = np.sort(np.concatenate((sent, sent[random.random(sent.size) < COPIES])))
    late = random.integers(1, SPREAD + 1, sent.size) * (random.random(sent.size) < delayed)
    return sent[np.argsort(sent + late, kind="stable")]


def reordering(packets: int = PACKETS, sample: int = SAMPLE, runs: int = RUNS) -> Iterator[BenchResult]:
    """Analyse streams, each in turns with a sample of it by the plain implementation.

    Args:
        packets: of each stream.
        sample: how many of them the plain implementation, which is quadratic, is given.
        runs: of each.

    Yields:
        Median seconds of one core a million packets; ``ratio`` is that over the plain one's, both a packet.

    """
    for name, delayed in STREAMS.items():
        numbers = stream(packets, delayed)
        times_ns = np.arange(numbers.size) * FRAME_TIME_NS
        few = [Packet(n, t, SIZE_BYTES) for n, t in zip(numbers[:sample].tolist(), times_ns.tolist(), strict=False)]
        ours, theirs, reordered = [], [], 0
        for _ in range(runs):
            begun_s = time.process_time()
            reordered = order_detail(numbers, times_ns=times_ns, size_bytes=SIZE_BYTES).reordered
            half_s = time.process_time()
            everything(few, WINDOW, THRESHOLD)
            ours.append((half_s - begun_s) / numbers.size)
            theirs.append((time.process_time() - half_s) / len(few))
        yield BenchResult(
            bench="reordering" if delayed == max(STREAMS.values()) else f"reordering:{name}",
            value=statistics.median(ours) * 1e6,
            unit="s/Mpacket",
            against=f"plain Python on {len(few)} packets",
            ratio=statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
            runs=runs,
            note=f"{numbers.size} packets, {name}, {reordered} of them reordered; the plain one is quadratic",
        )
