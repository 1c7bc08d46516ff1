"""The log of a tagged stream's arrivals as arrays."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lab.traffic.models import TaggedRecord

LONGEST_DELAY_NS = 2**32 - 1
"""A delay of this value was so long or longer."""


@dataclass(frozen=True)
class Arrivals:
    """The recorded frames of a stream in their order of arrival, an element a frame in each array.

    ``numbers`` (u32) count from 0 in the order in which the frames were sent. ``times_ns`` (u64) are their times of
    arrival since the begin of the trial, those of the polls that found them: frames of one poll have the same.
    ``delays_ns`` (u32) are their delays, so that ``times_ns - delays_ns`` is when they left. ``complete`` is false
    where the log was full before the last one came.
    """

    numbers: npt.NDArray[np.uint32]
    times_ns: npt.NDArray[np.uint64]
    delays_ns: npt.NDArray[np.uint32]
    complete: bool


def arrivals(record: TaggedRecord) -> Arrivals | None:
    """Decode the log of a stream's arrivals; None where its generator keeps none."""
    if record.arrivals is None or record.arrival_times is None or record.arrival_delays is None:
        return None
    return Arrivals(
        numbers=_array(record.arrivals, "<u4"),
        times_ns=_array(record.arrival_times, "<u8"),
        delays_ns=_array(record.arrival_delays, "<u4"),
        complete=record.arrivals_recorded == record.arrivals_received,
    )


def _array(packed: str, kind: str) -> npt.NDArray[Any]:
    return np.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype=kind)
