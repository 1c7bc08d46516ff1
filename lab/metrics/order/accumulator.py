"""All metrics of reordering at once, from arrivals as they come."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lab.metrics.order.degrees import DegreeCounter
from lab.metrics.order.density import DisplacementCounter
from lab.metrics.order.first_copies import FirstCopies
from lab.metrics.order.late import LateCounter
from lab.metrics.order.model import OrderDetail
from lab.metrics.order.occupancy import OccupancyCounter
from lab.metrics.order.runs import RunCounter

WINDOW = 1 << 20
"""Numbers; that of vtrex's own tracking (lab/vtrex/engine/sequence.h) but for 64."""
THRESHOLD = 256
"""DT and BT of RFC 5236, in packets: as many as the longest queue of the image holds."""
CHUNK = 1 << 17

Integers = npt.NDArray[np.integer]


def order_detail(
    numbers: Integers, *, times_ns: Integers | None = None, size_bytes: int | None = None, complete: bool = True
) -> OrderDetail:
    """Return all metrics of reordering of a whole stream.

    Args:
        numbers: 1-d array of sequence numbers from 0, in order of arrival.
        times_ns: when each arrived, never falling; None: not known.
        size_bytes: of each packet; None: not known.
        complete: false where these are but the first arrivals of more.

    Raises:
        ValueError: as OrderAccumulator.add.

    """
    accumulator = OrderAccumulator()
    accumulator.add(numbers, times_ns, size_bytes)
    return accumulator.result(complete=complete)


class OrderAccumulator:
    """The order of one stream by RFC 4737 and RFC 5236, in constant memory for a given window.

    Numbers count from 0 in the order of sending and do not wrap. Each packet is told from a duplicate, and its extent,
    late time, byte offset and gap are exact, as long as it is less than ``window`` numbers behind the greatest one; a
    later one is counted as ``too_old`` and is in no other figure of RFC 4737 but n-reordering. n-reordering is exact up
    to n = 1023. RD and RBD have a threshold of their own. A lost packet is no reordering: it ends no reordering-free
    run and shifts no displacement, but the packets behind it wait for it in the buffer of RBD until that is full.
    """

    def __init__(self, *, window: int = WINDOW, threshold: int = THRESHOLD) -> None:
        """Begin before the first arrival.

        Args:
            window: in numbers, at least 1.
            threshold: DT and BT of RFC 5236, in packets, at least 1.

        Raises:
            ValueError: one of them is less than 1.

        """
        if window < 1 or threshold < 1:
            raise ValueError(f"window and threshold must be at least 1, not {window} and {threshold}")
        self._window = window
        self._arrivals = 0
        self._copies = FirstCopies(window)
        self._late = LateCounter(window)
        self._runs = RunCounter()
        self._degrees = DegreeCounter()
        self._displacement = DisplacementCounter(threshold)
        self._occupancy = OccupancyCounter(threshold)
        self._timed: bool | None = None
        self._sized: bool | None = None

    def add(
        self, numbers: Integers, times_ns: Integers | None = None, sizes_bytes: Integers | int | None = None
    ) -> None:
        """Account arrivals, in their order, duplicates included.

        Args:
            numbers: 1-d array of sequence numbers from 0.
            times_ns: when each arrived, never falling; None: not known, then for no arrival.
            sizes_bytes: size of each, or of all; None: not known, then for no arrival.

        Raises:
            ValueError: arrays of other lengths, a negative number, or times or sizes now and not before.

        """
        self._check(numbers, times_ns, sizes_bytes)
        count = int(numbers.size)
        times = np.zeros(count, np.int64) if times_ns is None else times_ns.astype(np.int64)
        sizes = np.empty(count, np.int64)
        sizes[:] = 0 if sizes_bytes is None else sizes_bytes
        for begin in range(0, count, CHUNK):
            part = slice(begin, begin + CHUNK)
            self._add(numbers[part].astype(np.int64), times[part], sizes[part])

    def result(self, *, complete: bool = True) -> OrderDetail:
        """Return what is known of all arrivals so far; more may be added after it.

        Args:
            complete: false where the arrivals are but the first ones of those that there were.

        """
        judged = self._arrivals - self._copies.duplicates - self._copies.too_old
        late, gaps = self._late, self._late.gaps()
        return OrderDetail(
            complete=complete,
            window=self._window,
            arrivals=self._arrivals,
            duplicates=self._copies.duplicates,
            too_old=self._copies.too_old,
            judged=judged,
            reordered=late.reordered,
            ratio=late.reordered / judged if judged else 0.0,
            extent=late.extents.result(),
            late_time_ns=late.times_ns.result() if self._timed else None,
            byte_offset=late.bytes.result() if self._sized else None,
            discontinuities=gaps.discontinuities,
            gap=gaps.distances.result(),
            gap_time_ns=gaps.times_ns.result() if self._timed else None,
            runs=self._runs.result(),
            n_reordering=self._degrees.result(),
            displacement=self._displacement.result(),
            occupancy=self._occupancy.result(),
        )

    def _check(self, numbers: Integers, times_ns: Integers | None, sizes_bytes: Integers | int | None) -> None:
        for what, values in (("times", times_ns), ("sizes", sizes_bytes)):
            if isinstance(values, np.ndarray) and values.shape != numbers.shape:
                raise ValueError(f"{values.size} {what} for {numbers.size} arrivals")
        if numbers.size and int(numbers.min()) < 0:
            raise ValueError(f"sequence numbers count from 0: {int(numbers.min())}")
        timed, sized = times_ns is not None, sizes_bytes is not None
        if self._timed not in (None, timed) or self._sized not in (None, sized):
            raise ValueError("times and sizes are given with every arrival or with none")
        self._timed, self._sized = timed, sized

    def _add(self, numbers: npt.NDArray[np.int64], times: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> None:
        self._arrivals += int(numbers.size)
        self._degrees.add(numbers)
        self._displacement.add(numbers)
        self._occupancy.add(numbers)
        first = self._copies.judge(numbers)
        if first.any():
            self._runs.add(self._late.add(numbers[first], times[first], sizes[first]))
