"""FIB and RIB with a million routes in the shape of the public table, and a FIB that changes while it is read."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import random
from collections.abc import Iterator

import numpy as np
import pytest

from lab.routing.lpm import LongestPrefixMatch
from lab.routing.regions import Gateway, Region
from lab.routing.table import RouteTable, generate
from tests.image.hostlib import SANITIZE

ROUTES = 200_000 if os.environ.get(SANITIZE) else 1_000_000
SAMPLES = 20_000
RIB_ROUTES = 3 << 19
STATIC = 4
"""ROUTE_STATIC of rib.h."""


ROUTE = np.dtype([("prefix", "<u4"), ("hop", "<u2"), ("length", "u1"), ("kind", "u1")])


class Route(ctypes.Structure):
    """struct route of rib.h."""

    _fields_ = (
        ("prefix", ctypes.c_uint32),
        ("hop", ctypes.c_uint16),
        ("length", ctypes.c_uint8),
        ("kind", ctypes.c_uint8),
    )


class Tables:
    """The image's FIB and RIB with the same routes."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.host_fib_new.restype = library.host_rib_new.restype = ctypes.c_void_p
        library.host_fib_lookup.restype = ctypes.c_uint16
        library.rib_match.restype = ctypes.POINTER(Route)
        self.fib = ctypes.c_void_p(library.host_fib_new())
        self.rib = ctypes.c_void_p(library.host_rib_new())

    def load(self, routes: ctypes.Array[Route]) -> int:
        return int(self._library.host_routes_load(self.fib, self.rib, routes, len(routes)))

    def remove(self, routes: ctypes.Array[Route]) -> None:
        self._library.host_routes_remove(self.fib, self.rib, routes, len(routes))

    def hop(self, address: int) -> int:
        """The next hop on which both agree."""
        hop = int(self._library.host_fib_lookup(self.fib, ctypes.c_uint32(address)))
        route = self._library.rib_match(self.rib, ctypes.c_uint32(address))
        assert hop == (route.contents.hop if route else 0), ipaddress.IPv4Address(address)
        return hop

    def groups_in_use(self) -> int:
        return int(self._library.host_fib_groups_in_use(self.fib))

    def close(self) -> None:
        self._library.host_fib_free(self.fib)
        self._library.host_rib_free(self.rib)


@pytest.fixture
def tables(qgm: ctypes.CDLL) -> Iterator[Tables]:
    made = Tables(qgm)
    yield made
    made.close()


@pytest.fixture(scope="module")
def table() -> RouteTable:
    gateways = tuple(Gateway(address=f"10.0.0.{i}", mac=f"02:00:00:00:00:{i:02x}") for i in range(100))
    region = Region(port=0, cover="0.0.0.0/0", first="1.0.0.0", last="223.255.255.255", gateways=gateways)
    return generate([region], ROUTES)


def packed(table: RouteTable, first: int, last: int) -> ctypes.Array[Route]:
    """Routes as the image has them; the number of a next hop is that of the gateway and one."""
    whole = np.zeros(last - first, dtype=ROUTE)
    whole["prefix"], whole["length"] = table.prefixes[first:last], table.lengths[first:last]
    whole["hop"], whole["kind"] = table.ways[first:last] + 1, STATIC
    return (Route * (last - first)).from_buffer_copy(whole.tobytes())


def require_same(tables: Tables, model: LongestPrefixMatch, table: RouteTable) -> None:
    """At random addresses, and at the first and last one of routes of every length."""
    dice = random.Random(1)
    number = {gateway: place + 1 for place, gateway in enumerate(table.gateways)}
    routes = [*table.routes(SAMPLES), *((p, length, "") for p, length, _ in table.routes(ROUTES) if length > 24)]
    addresses = [dice.getrandbits(32) for _ in range(SAMPLES)]
    addresses += [prefix for prefix, _, _ in routes] + [prefix + (1 << (32 - bits)) - 1 for prefix, bits, _ in routes]
    for address in addresses:
        found = model.lookup(address)
        assert tables.hop(address) == (number[found[2]] if found else 0), ipaddress.IPv4Address(address)


def test_a_million_routes_are_held_found_and_removed(tables: Tables, table: RouteTable) -> None:
    kept = ROUTES // 10
    assert tables.load(packed(table, 0, ROUTES)) == ROUTES
    require_same(tables, table.model(ROUTES), table)
    tables.remove(packed(table, kept, ROUTES))
    require_same(tables, table.model(kept), table)
    tables.remove(packed(table, 0, kept))
    require_same(tables, LongestPrefixMatch(), table)
    assert tables.groups_in_use() == 0


def test_a_full_rib_refuses_one_route_more(tables: Tables) -> None:
    """As many /25s as there is room for would need more groups than the FIB has; /24s and /23s need none."""
    routes = np.zeros(RIB_ROUTES + 1, dtype=ROUTE)
    place = np.arange(RIB_ROUTES + 1, dtype=np.uint32)
    routes["prefix"], routes["length"] = (place >> 1) * 512 + (1 << 24), 23 + place % 2
    routes["hop"], routes["kind"] = 1, STATIC
    assert tables.load((Route * len(routes)).from_buffer_copy(routes.tobytes())) == RIB_ROUTES


def test_a_group_is_used_again_only_after_readers_have_looked_away(qgm: ctypes.CDLL, tables: Tables) -> None:
    told: list[tuple[int, int]] = []
    quiesced = ctypes.CFUNCTYPE(None)(lambda: told.append((tables_hop(1), tables_hop(2))))

    def tables_hop(net: int) -> int:
        return int(qgm.host_fib_lookup(tables.fib, ctypes.c_uint32(net << 24)))

    qgm.host_fib_on_quiesce(tables.fib, quiesced)
    for net in (1, 2):
        qgm.fib_add(tables.fib, net << 24, 8, net)
    qgm.fib_add(tables.fib, 1 << 24, 28, 11)
    qgm.fib_remove(tables.fib, 1 << 24, 28, 8, 1)
    assert told == [], "nobody needs the group yet"
    qgm.fib_add(tables.fib, 2 << 24, 28, 22)
    assert told == [(1, 2)], "the group led somewhere else before the readers had looked away"
    assert (tables_hop(1), tables_hop(2), tables.groups_in_use()) == (1, 22, 1)


def test_a_reader_sees_old_or_new_while_routes_change(qgm: ctypes.CDLL, tables: Tables) -> None:
    short, long = ctypes.c_uint64(), ctypes.c_uint64()
    qgm.host_fib_threads.restype = ctypes.c_uint64
    changes, seed = ctypes.c_uint32(300_000), ctypes.c_uint64(1)
    wrong = qgm.host_fib_threads(tables.fib, changes, seed, ctypes.byref(short), ctypes.byref(long))
    assert wrong == 0
    assert short.value > 1000
    assert long.value > 1000
