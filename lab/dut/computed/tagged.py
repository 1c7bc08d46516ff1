"""What the generator tells of the tagged stream of a direction: latency and order of its frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from hdrh.histogram import HdrHistogram

from lab.dut.computed.chance import Floats, Numbers
from lab.dut.computed.losses import Piece
from lab.methods.trial import DelayVariation, LatencyRecord

SOURCE = "computed"
_HIGHEST_NS = 10_000_000_000
Mask = npt.NDArray[np.bool_]


def waits(pieces: Sequence[Piece], at_s: Floats) -> Floats:
    """Return how long a frame that is let in at each time waits for the server and is served, in seconds."""
    times: list[float] = []
    values: list[float] = []
    for batch in (batch for piece in pieces for batch in piece.batches if batch.frames):
        end_s = batch.at_s + batch.frames * batch.gap_s
        knee_s = batch.at_s + batch.position(0) * batch.gap_s if batch.dropped else end_s
        full = batch.dropped and batch.slack < 1.0
        times += [batch.at_s, min(knee_s, end_s), end_s]
        values += [batch.wait_s, batch.limit_s if full else batch.wait_end_s, batch.wait_end_s]
        values[-3:] = [min(value, batch.limit_s) + batch.service_s for value in values[-3:]]
    return np.interp(at_s, times, values) if times else np.zeros(at_s.size)


def drop_shares(pieces: Sequence[Piece], at_s: Floats) -> Floats:
    """Return the share of the frames that were dropped about each time."""
    batches = [batch for piece in pieces for batch in piece.batches if batch.frames]
    if not batches:
        return np.zeros(at_s.size)
    begins = np.array([batch.at_s for batch in batches])
    share = np.array([batch.dropped / batch.frames for batch in batches])
    return np.asarray(share[np.maximum(np.searchsorted(begins, at_s, side="right") - 1, 0)])


def arrivals(numbers: Numbers, moved: Mask, behind: float, *, counts_moved: bool) -> Numbers:
    """Return the order in which frames arrive of which some were moved.

    Args:
        numbers: of the frames among all of their direction, ascending; others, if any, are evenly between them.
        moved: which of them.
        behind: how many frames further back these go out.
        counts_moved: whether frames that are moved themselves count as such.

    Returns:
        Indices into ``numbers``.

    """
    passed = numbers.astype(np.float64)
    if not counts_moved and numbers.size:
        all_of_them = int(numbers[-1] - numbers[0]) + 1 == numbers.size
        passed -= np.cumsum(moved) if all_of_them else (numbers - numbers[0]) * moved.mean()
    return np.asarray(np.argsort(np.where(moved, passed + behind + 0.5, passed), kind="stable"))


def latency_record(delays_ns: Numbers, tx_port: int, rx_port: int) -> LatencyRecord:
    """Make the record of delays in the order in which the frames were sent."""
    return LatencyRecord(
        tx_port=tx_port,
        rx_port=rx_port,
        count=delays_ns.size,
        min_ns=int(delays_ns.min()),
        max_ns=int(delays_ns.max()),
        mean_ns=float(delays_ns.mean()),
        hdr=_histogram(delays_ns),
        source=SOURCE,
        variation=_variation(np.diff(delays_ns)),
    )


def _variation(differences_ns: Numbers) -> DelayVariation | None:
    if not differences_ns.size:
        return None
    absolute = np.abs(differences_ns)
    return DelayVariation(
        count=differences_ns.size,
        min_ns=int(differences_ns.min()),
        max_ns=int(differences_ns.max()),
        mean_abs_ns=float(absolute.mean()),
        hdr=_histogram(absolute),
    )


def _histogram(values_ns: Numbers) -> str:
    histogram = HdrHistogram(1, _HIGHEST_NS, 3)
    for value, count in zip(*np.unique(_rounded(values_ns), return_counts=True), strict=True):
        histogram.record_value(int(value), int(count))
    return str(histogram.encode().decode())


def _rounded(values_ns: Numbers) -> Numbers:
    """Keep the 11 bits that a histogram of three digits keeps, so that few values are left."""
    shift = np.maximum(0, np.floor(np.log2(np.maximum(values_ns, 1))).astype(np.int64) - 10)
    return np.asarray((values_ns >> shift) << shift)
