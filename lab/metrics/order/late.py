"""Reordered packets: how late they are in packets, time and bytes, and what they overtook or were overtaken by."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lab.metrics.order.counts import Counts
from lab.metrics.order.smaller import earlier_smaller

Integers = npt.NDArray[np.int64]
NEVER = -1


@dataclass
class Holes:
    """Runs of numbers that were skipped, in rising order: one entry each, of the packet that came behind the hole.

    Such a packet is a sequence discontinuity (RFC 4737 section 3.4). ``end`` is its number, ``position`` its place
    among the first copies, ``time_ns`` when it came, ``bytes_before`` and ``late_bytes_before`` what all packets and
    the reordered ones before it had, ``found`` the place of the first reordered packet that belongs into the hole
    (NEVER where none has come: then the numbers are lost so far).
    """

    end: Integers
    position: Integers
    time_ns: Integers
    bytes_before: Integers
    late_bytes_before: Integers
    found: Integers

    @classmethod
    def none(cls) -> Holes:
        """Return no holes."""
        return cls(*(np.empty(0, dtype=np.int64) for _ in fields(cls)))

    def joined(self, other: Holes) -> Holes:
        """Return these and the later ones."""
        return Holes(*(np.concatenate((getattr(self, f.name), getattr(other, f.name))) for f in fields(self)))

    def part(self, chosen: slice | npt.NDArray[np.bool_]) -> Holes:
        """Return the chosen ones."""
        return Holes(*(getattr(self, f.name)[chosen] for f in fields(self)))


class Gaps:
    """Distances between successive reordering discontinuities (RFC 4737 section 4.5).

    A hole into which a reordered packet belongs makes one. There is a gap where the earlier of two neighbours was also
    found first, by its first reordered packet.
    """

    def __init__(self) -> None:
        """Begin with no discontinuity."""
        self.distances, self.times_ns = Counts(), Counts()
        self.discontinuities = 0
        self._last = Holes.none()

    def add(self, holes: Holes) -> None:
        """Account holes that are later than all before, and into which nothing more comes."""
        found = self._last.joined(holes.part(holes.found != NEVER))
        self.discontinuities += found.end.size - self._last.end.size
        pairs = found.found[1:] > found.found[:-1]
        self.distances.add(np.diff(found.position)[pairs])
        self.times_ns.add(np.diff(found.time_ns)[pairs])
        self._last = found.part(slice(-1, None))

    def copy(self) -> Gaps:
        """Return another one that goes on by itself."""
        other = Gaps()
        other.distances, other.times_ns = self.distances.copy(), self.times_ns.copy()
        other.discontinuities, other._last = self.discontinuities, self._last
        return other


class LateCounter:
    """Finds the reordered ones of first copies, and how late they are.

    Invariants: ``_holes`` has those that a packet less than ``window`` behind the greatest number can belong to.
    ``_late`` has the numbers of the reordered packets in that range, ascending, ``_late_bytes`` the bytes of each and
    all smaller ones of them; ``_forgotten_bytes`` those of the reordered packets behind it, whose numbers are smaller.
    """

    def __init__(self, window: int) -> None:
        """Begin before the first packet, which should have number 0."""
        self.extents, self.times_ns, self.bytes = Counts(), Counts(), Counts()
        self.reordered = 0
        self._window = window
        self._newest, self._packets, self._bytes = -1, 0, 0
        self._holes, self._gaps = Holes.none(), Gaps()
        self._late = np.empty(0, dtype=np.int64)
        self._late_bytes = np.empty(0, dtype=np.int64)
        self._forgotten_bytes = 0

    def add(self, numbers: Integers, times_ns: Integers, sizes_bytes: Integers) -> npt.NDArray[np.bool_]:
        """Account first copies in their order of arrival, at least one; returns which are reordered (section 3.3)."""
        running = np.maximum.accumulate(np.maximum(numbers, self._newest))
        before = np.concatenate(([self._newest], running[:-1]))
        reordered: npt.NDArray[np.bool_] = numbers < before
        bytes_before = self._bytes + np.cumsum(sizes_bytes) - sizes_bytes
        late = np.flatnonzero(reordered)
        self._open(numbers, before, times_ns, bytes_before, np.where(reordered, sizes_bytes, 0))
        if late.size:
            self._close(numbers[late], late + self._packets, times_ns[late], bytes_before[late], sizes_bytes[late])
        self.reordered += int(late.size)
        self._newest = int(running[-1])
        self._packets += int(numbers.size)
        self._bytes += int(sizes_bytes.sum())
        self._forget()
        return reordered

    def gaps(self) -> Gaps:
        """Return the gaps between all discontinuities so far."""
        gaps = self._gaps.copy()
        gaps.add(self._holes)
        return gaps

    def _open(
        self, numbers: Integers, before: Integers, times_ns: Integers, bytes_before: Integers, late_bytes: Integers
    ) -> None:
        at = np.flatnonzero(numbers > before + 1)
        late_before = self._all_late_bytes() + np.cumsum(late_bytes) - late_bytes
        opened = Holes(
            end=numbers[at],
            position=at + self._packets,
            time_ns=times_ns[at],
            bytes_before=bytes_before[at],
            late_bytes_before=late_before[at],
            found=np.full(at.size, NEVER),
        )
        self._holes = self._holes.joined(opened)

    def _close(
        self, numbers: Integers, positions: Integers, times_ns: Integers, bytes_before: Integers, sizes: Integers
    ) -> None:
        """Account reordered packets, each by the hole that it belongs to.

        The packet behind the hole is the earliest with a greater number. A packet must wait for those that came before
        it with greater numbers: all since the hole but for reordered ones with smaller numbers; and each
        reordered one from before the hole has a smaller number.
        """
        holes = self._holes
        hole = np.searchsorted(holes.end, numbers, side="right")
        self.extents.add(positions - holes.position[hole])
        self.times_ns.add(times_ns - holes.time_ns[hole])
        smaller = self._smaller_late_bytes(numbers) + earlier_smaller(numbers, sizes)
        since = bytes_before - holes.bytes_before[hole]
        self.bytes.add(since - (smaller - holes.late_bytes_before[hole]))
        found, earliest = np.unique(hole, return_index=True)
        new = holes.found[found] == NEVER
        holes.found[found[new]] = positions[earliest[new]]
        self._remember(numbers, sizes)

    def _all_late_bytes(self) -> int:
        return self._forgotten_bytes + (int(self._late_bytes[-1]) if self._late_bytes.size else 0)

    def _smaller_late_bytes(self, numbers: Integers) -> Integers:
        return self._forgotten_bytes + np.concatenate(([0], self._late_bytes))[np.searchsorted(self._late, numbers)]

    def _remember(self, numbers: Integers, sizes: Integers) -> None:
        late = np.concatenate((self._late, numbers))
        each = np.concatenate((np.diff(self._late_bytes, prepend=0), sizes))
        order = np.argsort(late, kind="stable")
        self._late, self._late_bytes = late[order], np.cumsum(each[order])

    def _forget(self) -> None:
        """Let go of what no packet that is still to be judged can have to do with."""
        oldest = self._newest - self._window + 1
        gone = int(np.searchsorted(self._holes.end, oldest, side="right"))
        self._gaps.add(self._holes.part(slice(gone)))
        self._holes = self._holes.part(slice(gone, None))
        behind = int(np.searchsorted(self._late, oldest))
        if behind:
            self._forgotten_bytes += int(self._late_bytes[behind - 1])
            self._late_bytes = self._late_bytes[behind:] - self._late_bytes[behind - 1]
            self._late = self._late[behind:]
