"""A routing table in the shape of the public Internet's, from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lab.errors import UsageError
from lab.routing.lpm import LongestPrefixMatch
from lab.routing.regions import Region

ROUTES = 1_000_000

SHARES_PPM = {
    8: 16,
    9: 13,
    10: 40,
    11: 100,
    12: 300,
    13: 580,
    14: 1_200,
    15: 2_050,
    16: 13_500,
    17: 8_300,
    18: 14_000,
    19: 25_000,
    20: 44_500,
    21: 52_000,
    22: 111_000,
    23: 98_500,
    24: 627_901,
    25: 100,
    26: 100,
    27: 150,
    28: 150,
    29: 150,
    30: 200,
    32: 150,
}
"""Share of each prefix length, in millionths.

Up to /24 these are rounded figures of the table that the default-free zone has had since about 2023, of some 950,000
routes, as the prefix length statistics of bgp.potaroo.net (AS131072) and the weekly Routing Table Report of
thyme.apnic.net show it: six of ten routes are /24s, two of ten /22s and /23s. The tenth of a percent beyond /24 is not
in the public table, where such routes are filtered: a router has them from its own network.
"""

_SPECIAL = tuple(
    IPv4Network(network)
    for network in ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12")
)
"""Networks of the first three quarters of the address space that nobody announces (RFC 6890)."""

_TRIES = 100


@dataclass(frozen=True)
class RouteTable:
    """Distinct routes in random order, so that the first N of them are a random sample.

    Arrays of equal length: prefixes (host byte order), lengths, and which of ``gateways`` (addresses) each leads to.
    """

    prefixes: NDArray[np.uint32]
    lengths: NDArray[np.uint8]
    ways: NDArray[np.uint16]
    gateways: tuple[str, ...]

    def routes(self, count: int) -> Iterator[tuple[int, int, str]]:
        """Yield the first ``count`` routes as (prefix, length, gateway)."""
        columns = (self.prefixes[:count].tolist(), self.lengths[:count].tolist(), self.ways[:count].tolist())
        for prefix, length, way in zip(*columns, strict=True):
            yield prefix, length, self.gateways[way]

    def model(self, count: int) -> LongestPrefixMatch:
        """Return the first ``count`` routes as a model of what a router does with them."""
        return LongestPrefixMatch(self.routes(count))

    def write(self, path: Path) -> None:
        """Write the file that PIX loads: one ``PREFIX/LEN via A.B.C.D`` a line."""
        with path.open("w", encoding="ascii") as file:
            file.writelines(
                f"{p >> 24}.{p >> 16 & 255}.{p >> 8 & 255}.{p & 255}/{length} via {gateway}\n"
                for p, length, gateway in self.routes(len(self.prefixes))
            )


def generate(regions: Sequence[Region], count: int = ROUTES, seed: int = 1) -> RouteTable:
    """Make a table.

    Args:
        regions: where its prefixes lie, each entirely in one of them, leading to its gateways.
        count: of routes.
        seed: the same one gives the same table.

    Raises:
        UsageError: the regions have not enough room for so many distinct prefixes of some length.

    """
    dice = np.random.default_rng(seed)
    prefixes, lengths = [], []
    for length, wanted in _counts(count).items():
        prefixes.append(_draw(dice, regions, length, wanted))
        lengths.append(np.full(wanted, length, np.uint8))
    order = dice.permutation(count)
    every_prefix, every_length = np.concatenate(prefixes)[order], np.concatenate(lengths)[order]
    gateways = tuple(gateway.address for region in regions for gateway in region.gateways)
    ways = np.zeros(count, np.uint16)
    base = 0
    for region in regions:
        inside = _is_inside(every_prefix, region)
        ways[inside] = base + dice.integers(0, len(region.gateways), np.count_nonzero(inside))
        base += len(region.gateways)
    return RouteTable(every_prefix, every_length, ways, gateways)


def _counts(count: int) -> dict[int, int]:
    """Share a number of routes out among the lengths; what rounding leaves over is of length 24."""
    counts = {length: count * share // 1_000_000 for length, share in SHARES_PPM.items()}
    counts[24] += count - sum(counts.values())
    return counts


def _draw(dice: np.random.Generator, regions: Sequence[Region], length: int, wanted: int) -> NDArray[np.uint32]:
    """Draw distinct prefixes of one length, any place in the regions as likely as another."""
    starts = np.array([int(IPv4Address(r.first)) for r in regions], np.int64)
    sizes = np.array([int(IPv4Address(r.last)) + 1 for r in regions], np.int64) - starts
    begins = np.cumsum(sizes) - sizes
    found = np.empty(0, np.uint32)
    for _ in range(_TRIES):
        at = dice.integers(0, sizes.sum(), 2 * wanted + 16)
        which = np.searchsorted(begins, at, side="right") - 1
        drawn = ((starts[which] + at - begins[which]) >> (32 - length) << (32 - length)).astype(np.uint32)
        fits = np.zeros(len(drawn), bool)
        for region in regions:
            fits |= _is_inside(drawn, region) & _is_inside(drawn + np.uint32((1 << (32 - length)) - 1), region)
        for network in _SPECIAL:
            shorter = min(length, network.prefixlen)
            fits &= drawn >> (32 - shorter) != int(network.network_address) >> (32 - shorter)
        found = np.unique(np.concatenate([found, drawn[fits]]))
        if len(found) >= wanted:
            return dice.permutation(found)[:wanted]
    raise UsageError(f"no room for {wanted} prefixes of length {length} in these regions: ask for fewer routes")


def _is_inside(addresses: NDArray[np.uint32], region: Region) -> NDArray[np.bool_]:
    return (addresses >= int(IPv4Address(region.first))) & (addresses <= int(IPv4Address(region.last)))
