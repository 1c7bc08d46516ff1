"""The accumulator equals a word-by-word reading of both RFCs, on any arrivals and however they are cut into chunks."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.bench import plain_order as plain
from lab.bench.plain_order import Packet
from lab.metrics.order.accumulator import OrderAccumulator
from lab.metrics.order.model import Distribution, OrderDetail


@st.composite
def streams(draw: st.DrawFn) -> list[int]:
    """Numbers that were sent in order, delayed by chance, with losses, a leap and duplicates."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, spread = draw(st.integers(0, 150)), draw(st.sampled_from([0, 1, 3, 10, 200]))
    loss, copies = draw(st.sampled_from([0.0, 0.02, 0.3])), draw(st.sampled_from([0.0, 0.02, 0.3]))
    often = draw(st.sampled_from([0.05, 0.5, 1.0]))
    sent = np.flatnonzero(random.random(count) >= loss)
    sent = np.concatenate((sent, sent[random.random(sent.size) < copies]))
    delay = random.integers(0, spread + 1, sent.size) * (random.random(sent.size) < often)
    arrivals = sent[np.argsort(sent + delay, kind="stable")]
    arrivals[arrivals > count * 3 // 4] += draw(st.sampled_from([0, 0, 1000]))
    return [int(number) for number in arrivals]


def packets(numbers: list[int], seed: int) -> list[Packet]:
    random = np.random.default_rng(seed)
    times = np.cumsum(random.integers(0, 5, len(numbers)))
    sizes = random.integers(1, 9, len(numbers))
    return [Packet(n, int(t), int(s)) for n, t, s in zip(numbers, times, sizes, strict=True)]


def accumulated(arrivals: list[Packet], cuts: list[int], window: int, threshold: int) -> OrderDetail:
    accumulator = OrderAccumulator(window=window, threshold=threshold)
    edges = sorted({0, len(arrivals), *(cut % (len(arrivals) + 1) for cut in cuts)})
    for begin, end in pairwise(edges):
        part = arrivals[begin:end]
        accumulator.add(
            np.array([p.number for p in part], dtype=np.uint32),
            np.array([p.time_ns for p in part], dtype=np.int64),
            np.array([p.size for p in part], dtype=np.int64),
        )
        accumulator.result()  # asking in between must change nothing
    return accumulator.result()


def require(found: Distribution | None, values: list[int]) -> None:
    assert found is not None
    assert dict(found.counts) == dict(Counter(values))
    assert (found.count, found.min, found.max) == (len(values), min(values, default=0), max(values, default=0))
    assert found.mean == pytest.approx(sum(values) / len(values) if values else 0.0)


@settings(max_examples=250, deadline=None)
@given(
    streams() | st.lists(st.integers(0, 30), max_size=60),
    st.integers(0, 1000),
    st.lists(st.integers(0, 1000), max_size=6),
    st.sampled_from([1, 2, 7, 40, 5000]),
    st.sampled_from([1, 2, 5, 30]),
)
def test_equals_a_plain_reading(numbers: list[int], seed: int, cuts: list[int], window: int, threshold: int) -> None:
    arrivals = packets(numbers, seed)
    found = accumulated(arrivals, cuts, window, threshold)
    kept, duplicates, too_old = plain.first_copies(arrivals, window)
    assert (found.arrivals, found.duplicates, found.too_old) == (len(arrivals), duplicates, too_old)
    assert (found.judged, found.reordered) == (len(kept), sum(plain.singletons(kept)))
    assert found.ratio == (sum(plain.singletons(kept)) / len(kept) if kept else 0.0)
    if arrivals:
        require(found.extent, plain.extents(kept))
        require(found.late_time_ns, plain.late_times(kept))
        require(found.byte_offset, plain.byte_offsets(kept))
        discontinuities, distances, times = plain.gaps(kept)
        assert found.discontinuities == discontinuities
        require(found.gap, distances)
        require(found.gap_time_ns, times)
    r = found.runs
    x, q, p, a, lengths, last = plain.runs(kept)
    assert (r.runs, r.squares, r.packets, r.in_order, r.last) == (x, q, p, a, last)
    require(r.lengths, lengths)
    assert found.n_reordering.received == len(arrivals)
    for n in (1, 2, 3, 10):
        assert found.n_reordering.reordered(n) == plain.n_reordered(arrivals, n)
    displacements, without = plain.reorder_density(numbers, threshold)
    assert dict(found.displacement.counts) == displacements
    assert (found.displacement.packets, found.displacement.discarded) == (displacements.total(), without)
    occupancies, without = plain.buffer_density(numbers, threshold)
    assert dict(found.occupancy.counts) == occupancies
    assert (found.occupancy.packets, found.occupancy.discarded) == (occupancies.total(), without)
