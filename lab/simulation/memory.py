"""Simulated memory: which words exist, at which address, hence in which cache line."""

from __future__ import annotations

import numpy as np

SEPARATION_BYTES = 128  # what must not share a line starts on its own pair of lines


class Memory:
    """Places words one after the other; words of one allocation are numbered consecutively."""

    def __init__(self) -> None:
        self._addresses: list[int] = []
        self._names: list[str] = []
        self._next_address = 0

    def allocate(self, count: int, stride_bytes: int, name: str = "") -> int:
        """Place count words stride_bytes apart, on pairs of lines of their own; return the first's number.

        Args:
            count: how many.
            stride_bytes: from one to the next.
            name: what they are, for :meth:`names`.

        """
        base = self.reserve(count * stride_bytes)
        return self.place([base + i * stride_bytes for i in range(count)], name)

    def reserve(self, size_bytes: int) -> int:
        """Set aside a block of its own pairs of lines; return its address."""
        base = self._next_address
        self._next_address = -(-(base + size_bytes) // SEPARATION_BYTES) * SEPARATION_BYTES
        return base

    def place(self, addresses: list[int], name: str = "") -> int:
        """Add words at given addresses (of a reserved block), all of one name; return the first's number."""
        first = len(self._addresses)
        self._addresses += addresses
        self._names += [name] * len(addresses)
        return first

    def names(self) -> tuple[str, ...]:
        """Return the name of each word, "" where it was given none."""
        return tuple(self._names)

    def lines(self, range_bytes: int) -> tuple[int, ...]:
        """Return the line of each word when range_bytes (64, or 128 for a prefetched pair) move together."""
        _, lines = np.unique(np.asarray(self._addresses, dtype=np.int64) // range_bytes, return_inverse=True)
        return tuple(lines.tolist())
