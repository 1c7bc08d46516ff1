"""Packet reordering as RFC 4737 defines it, from the sequence numbers in order of arrival."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.methods.trial import ReorderingRecord
from lab.metrics.order.model import OrderDetail

Sequence = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Reordering:
    """Reordering of one stream; all counts in packets.

    ``received`` counts every arrival, ``duplicates`` those of them that were second or later copies. The first copies
    alone are judged (the RFC counts non-duplicate packets); there are ``received - duplicates`` of them.
    ``extents`` pairs an extent (section 4.2) with the number of packets that have it.
    """

    received: int
    duplicates: int
    reordered: int
    extents: tuple[tuple[int, int], ...]

    @property
    def ratio(self) -> float:
        """Type-P-reordered ratio (RFC 4737 section 4.1): reordered / first copies received; 0 when nothing arrived."""
        distinct = self.received - self.duplicates
        return self.reordered / distinct if distinct else 0.0

    @property
    def extent_max(self) -> int:
        """Greatest reordering extent in packets; 0 when nothing was reordered."""
        return self.extents[-1][0] if self.extents else 0

    @property
    def extent_mean(self) -> float:
        """Mean reordering extent in packets over the reordered ones; 0 when nothing was reordered."""
        return sum(extent * count for extent, count in self.extents) / self.reordered if self.reordered else 0.0


def first_copies(arrivals: Sequence) -> Sequence:
    """Return the arrivals without second and later copies, in order of arrival."""
    _, first = np.unique(arrivals, return_index=True)
    kept: Sequence = arrivals[np.sort(first)]
    return kept


def analyse(arrivals: Sequence) -> Reordering:
    """Find which packets were reordered and how far (RFC 4737 sections 3.3 and 4.2).

    A packet is reordered when one with a greater sequence number arrived before it. Its extent is the number of
    places between it and the *earliest* such arrival. The running maximum of the sequence numbers never falls, so
    a binary search in it finds that arrival: O(n log n) altogether.

    Args:
        arrivals: 1-d array of sequence numbers in order of arrival, with duplicates, without the lost ones.

    Returns:
        The counts and the histogram of extents, sorted by extent.

    """
    kept = first_copies(arrivals)
    running_max = np.maximum.accumulate(kept) if kept.size else kept
    late = np.flatnonzero(kept < running_max)
    earliest_greater = np.searchsorted(running_max, kept[late], side="right")
    extents, counts = np.unique(late - earliest_greater, return_counts=True)
    return Reordering(
        received=int(arrivals.size),
        duplicates=int(arrivals.size - kept.size),
        reordered=int(late.size),
        extents=tuple(zip(extents.tolist(), counts.tolist(), strict=True)),
    )


def reordering_record(
    arrivals: Sequence,
    *,
    sent: int,
    tx_port: int,
    rx_port: int,
    complete: bool,
    source: str,
    received: int | None = None,
    detail: OrderDetail | None = None,
) -> ReorderingRecord:
    """Build the record of one direction of a trial.

    Args:
        arrivals: 1-d array of sequence numbers in order of arrival.
        sent: packets of the stream that were sent; their sequence numbers are 0 to ``sent - 1``.
        tx_port: port of the generator that sent the stream.
        rx_port: port that received it.
        complete: false where the receiver's buffer overflowed: the order is then that of the recorded arrivals.
        source: who recorded the arrivals.
        received: packets that the receiver counted, where it counted more than it recorded; None: as many as recorded.
        detail: all other metrics, where they were asked for.

    Returns:
        The record; ``received`` includes duplicates, ``lost`` counts the packets that never arrived.

    Raises:
        ValueError: a sequence number was received that was never sent.

    """
    if arrivals.size and int(arrivals.max()) >= sent:
        raise ValueError(f"sequence number {int(arrivals.max())} arrived on port {rx_port}, but only {sent} were sent")
    found = analyse(arrivals)
    counted = found.received if received is None else received
    return ReorderingRecord(
        tx_port=tx_port,
        rx_port=rx_port,
        sent=sent,
        received=counted,
        duplicates=found.duplicates,
        lost=max(0, sent - (counted - found.duplicates)),
        reordered=found.reordered,
        ratio=found.ratio,
        extent_max=found.extent_max,
        extent_mean=found.extent_mean,
        complete=complete,
        source=source,
        detail=detail,
    )
