"""The examples of both RFCs. Their texts were at hand from memory only; each figure was worked out again by hand.

Section 7.4 of RFC 4737 (several discontinuities) is not among them: the example of gaps here is the lab's own.
"""

import numpy as np
import pytest

from lab.metrics.order.accumulator import OrderAccumulator
from lab.metrics.order.model import OrderDetail

PAYLOAD_BYTES = 100


def detail(numbers: list[int], *, times: list[int] | None = None, first: int = 1, threshold: int = 10) -> OrderDetail:
    accumulator = OrderAccumulator(threshold=threshold)
    accumulator.add(np.array(numbers) - first, None if times is None else np.array(times), sizes_bytes=PAYLOAD_BYTES)
    return accumulator.result()


TABLES = [
    pytest.param(
        [1, 2, 3, 5, 6, 7, 8, 4, 9, 10],
        [68, 88, 108, 148, 168, 188, 208, 210, 228, 248],
        [(4, 62, 400)],
        (7,),
        id="7.1-packet-4",
    ),
    pytest.param(
        [1, 2, 3, 4, 7, 5, 6, 8, 9, 10],
        [68, 88, 108, 128, 188, 189, 190, 208, 228, 248],
        [(1, 1, 100), (2, 2, 100)],
        (5, 0),
        id="7.2-packets-5-and-6",
    ),
    pytest.param(
        [1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11],
        [68, 88, 108, 188, 208, 228, 248, 250, 252, 256, 268],
        [(4, 62, 400), (5, 64, 400), (6, 68, 400)],
        (7, 0, 0),
        id="7.3-packets-4-5-and-6",
    ),
]


@pytest.mark.parametrize(("arrivals", "times", "late", "runs"), TABLES)
def test_the_tables_of_rfc_4737_section_7(
    arrivals: list[int], times: list[int], late: list[tuple[int, int, int]], runs: tuple[int, ...]
) -> None:
    found = detail(arrivals, times=times)
    assert found.reordered == len(late)
    assert found.ratio == len(late) / len(arrivals)
    extents, late_times, byte_offsets = (tuple(sorted(column)) for column in zip(*late, strict=True))
    assert found.late_time_ns is not None and found.byte_offset is not None
    assert tuple(value for value, count in found.extent.counts for _ in range(count)) == extents
    assert tuple(value for value, count in found.late_time_ns.counts for _ in range(count)) == late_times
    assert tuple(value for value, count in found.byte_offset.counts for _ in range(count)) == byte_offsets
    assert found.discontinuities == 1
    assert found.gap.count == 0
    assert (found.runs.runs, found.runs.squares) == (len(runs), sum(run * run for run in runs))
    assert found.runs.in_order == len(arrivals) - len(late)


def test_n_reordering_of_the_tables() -> None:
    """Of 4, 5 and 6 behind 7 to 10 only 4 has greater ones directly before it, and four of them (section 5)."""
    found = detail([1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11]).n_reordering
    assert [found.reordered(n) for n in range(1, 6)] == [1, 1, 1, 1, 0]
    assert found.ratio(3) == 1 / 11
    with pytest.raises(ValueError, match="from 1 to 1023, not for 1024"):
        found.reordered(1024)


def test_a_gap_lies_between_packets_behind_holes() -> None:
    """Packets 3 (behind 5) and 7 (behind 9): the discontinuities 5 and 9 are the third and the seventh arrival."""
    found = detail([1, 2, 5, 3, 4, 6, 9, 7, 8, 10], times=[0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
    assert found.discontinuities == 2
    assert found.gap.counts == ((4, 1),)
    assert found.gap_time_ns is not None and found.gap_time_ns.counts == ((40, 1),)


@pytest.mark.parametrize(
    ("arrivals", "displacement"),
    [
        pytest.param([2, 1, 4, 5, 3], {-1: 3, 1: 1, 2: 1}, id="receive-index-example-1"),
        pytest.param([1, 4, 3, 5, 3], {0: 2, -1: 1, 1: 1}, id="receive-index-example-2-loss-and-duplicate"),
        pytest.param([1, 4, 3, 5, 3, 8, 7, 6], {0: 3, -1: 1, 1: 1, -2: 1, 2: 1}, id="displacement-example-3"),
    ],
)
def test_the_displacements_of_rfc_5236(arrivals: list[int], displacement: dict[int, int]) -> None:
    assert dict(detail(arrivals).displacement.counts) == displacement


DENSITIES = [
    pytest.param(
        [1, 4, 2, 5, 3, 6, 7, 8],
        4,
        {-2: 0.125, -1: 0.125, 0: 0.5, 1: 0.125, 2: 0.125},
        {0: 0.625, 1: 0.25, 2: 0.125},
        id="no-loss",
    ),
    pytest.param([1, 2, 4, 5, 6, 7], 3, {0: 1.0}, {0: 0.5, 1: 1 / 6, 2: 1 / 6, 3: 1 / 6}, id="packet-3-lost"),
    pytest.param([1, 3, 2, 3, 4, 5], 2, {-1: 0.2, 0: 0.6, 1: 0.2}, {0: 0.8, 1: 0.2}, id="packet-3-twice"),
]


@pytest.mark.parametrize(("arrivals", "threshold", "density", "occupancy"), DENSITIES)
def test_the_densities_of_rfc_5236(
    arrivals: list[int], threshold: int, density: dict[int, float], occupancy: dict[int, float]
) -> None:
    found = detail(arrivals, threshold=threshold)
    assert dict(found.displacement.shares) == density
    assert dict(found.occupancy.shares) == pytest.approx(occupancy)


def test_the_buffer_empties_when_the_missing_packet_comes() -> None:
    """RFC 5236, buffer occupancy: with 1, 2, 4, 5, 3 it is 1 after packet 4, 2 after 5, and 0 after 3."""
    assert dict(detail([1, 2, 4, 5, 3]).occupancy.counts) == {0: 3, 1: 1, 2: 1}
