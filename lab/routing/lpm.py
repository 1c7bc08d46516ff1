"""Longest prefix match, written as its definition: what a DUT's forwarding is compared with."""

from __future__ import annotations

from collections.abc import Iterable


def prefix_mask(length: int) -> int:
    """Return the 32-bit mask of a prefix length from 0 to 32."""
    return 0xFFFFFFFF << (32 - length) & 0xFFFFFFFF


class LongestPrefixMatch:
    """Routes, found by address (RFC 1812 section 5.2.4.3: the longest matching prefix decides)."""

    def __init__(self, routes: Iterable[tuple[int, int, str]] = ()) -> None:
        """Hold routes, each a (prefix, length, way), where a way is any text, such as the gateway's address."""
        self._ways: dict[int, dict[int, str]] = {}
        for prefix, length, way in routes:
            self.add(prefix, length, way)

    def add(self, prefix: int, length: int, way: str) -> None:
        """Add a route, or replace the one of the same prefix."""
        self._ways.setdefault(length, {})[prefix] = way

    def lookup(self, address: int) -> tuple[int, int, str] | None:
        """Return (prefix, length, way) of the route that an address takes; None if there is none."""
        for length in sorted(self._ways, reverse=True):
            prefix = address & prefix_mask(length)
            way = self._ways[length].get(prefix)
            if way is not None:
                return prefix, length, way
        return None
