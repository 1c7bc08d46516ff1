"""The QGM's pure pieces against plain Python models: checksum, header check, FIB, RIB."""

from __future__ import annotations

import ctypes
import ipaddress
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.image.frames import ones_complement_sum


def swap(value: int) -> int:
    return value >> 8 | (value & 255) << 8


def header(ttl: int = 64, protocol: int = 17, source: int = 0x0A000001, destination: int = 0x0A000002) -> bytearray:
    fields = struct.pack(">BBHHHBBHII", 0x45, 0, 20, 1, 0, ttl, protocol, 0, source, destination)
    whole = bytearray(fields)
    struct.pack_into(">H", whole, 10, 0xFFFF - ones_complement_sum(fields))
    return whole


@given(st.binary(max_size=2000))
def test_checksum_is_that_of_rfc_1071(qgm: ctypes.CDLL, data: bytes) -> None:
    qgm.host_checksum.restype = ctypes.c_uint16
    assert swap(qgm.host_checksum(data, ctypes.c_size_t(len(data)))) == 0xFFFF - ones_complement_sum(data)


def test_update_of_rfc_1624_section_4(qgm: ctypes.CDLL) -> None:
    """The RFC's example, where the older equation gave 0xffff."""
    qgm.host_checksum_update.restype = ctypes.c_uint16
    assert qgm.host_checksum_update(0xDD2F, 0x5555, 0x3285) == 0x0000


@given(st.integers(1, 255), st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_ttl_decrement_keeps_the_header_right(
    qgm: ctypes.CDLL, ttl: int, protocol: int, source: int, destination: int
) -> None:
    before = header(ttl, protocol, source, destination)
    buffer = (ctypes.c_uint8 * 20).from_buffer_copy(before)
    qgm.host_ipv4_decrement_ttl(buffer)
    assert ones_complement_sum(bytes(buffer)) == 0xFFFF
    assert buffer[8] == ttl - 1
    before[8:12] = bytes(buffer)[8:12]
    assert bytes(buffer) == bytes(before)


@given(st.integers(0, 19), st.integers(1, 255))
def test_a_changed_byte_of_the_header_is_found(qgm: ctypes.CDLL, place: int, change: int) -> None:
    good = header()
    accepted = qgm.host_ipv4_check((ctypes.c_uint8 * 20).from_buffer_copy(good), 20)
    good[place] ^= change
    broken = (ctypes.c_uint8 * 60).from_buffer_copy(bytes(good) + bytes(40))
    assert qgm.host_ipv4_check(broken, 60) != accepted


@given(st.binary(min_size=60, max_size=60), st.integers(20, 60), st.integers(0, 70), st.booleans())
def test_header_check_agrees_with_rfc_1812(
    qgm: ctypes.CDLL, data: bytes, available: int, total: int, has_right_sum: bool
) -> None:
    """Random versions and lengths; half of the headers have the checksum that they would need."""
    accepted = qgm.host_ipv4_check((ctypes.c_uint8 * 20).from_buffer_copy(header()), 20)
    length = (data[0] & 15) * 4
    data = data[:2] + total.to_bytes(2, "big") + data[4:]
    if has_right_sum:
        data = data[:10] + b"\0\0" + data[12:]
        data = data[:10] + (0xFFFF - ones_complement_sum(data[: max(length, 20)])).to_bytes(2, "big") + data[12:]
    is_right = data[0] >> 4 == 4 and 20 <= length <= total <= available
    is_right = is_right and ones_complement_sum(data[:length]) == 0xFFFF
    assert (qgm.host_ipv4_check(data, available) == accepted) == is_right


class Fib:
    """The image's FIB, with a dictionary of the same routes as its model."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.host_fib_new.restype = ctypes.c_void_p
        library.host_fib_lookup.restype = ctypes.c_uint16
        self._fib = ctypes.c_void_p(library.host_fib_new())
        self.routes: dict[tuple[int, int], int] = {}

    def add(self, prefix: int, length: int, hop: int) -> None:
        assert self._library.fib_add(self._fib, prefix, length, hop) == 0
        self.routes[prefix, length] = hop

    def remove(self, prefix: int, length: int) -> None:
        del self.routes[prefix, length]
        parents = [
            (bits, hop) for (net, bits), hop in self.routes.items() if 0 < bits < length and covers(net, bits, prefix)
        ]
        parent_length, parent_hop = max(parents, default=(0, 0))
        self._library.fib_remove(self._fib, prefix, length, parent_length, parent_hop)

    def lookup(self, address: int) -> int:
        return int(self._library.host_fib_lookup(self._fib, ctypes.c_uint32(address)))

    def model(self, address: int) -> int:
        return max(
            ((bits, hop) for (net, bits), hop in self.routes.items() if covers(net, bits, address)), default=(0, 0)
        )[1]

    def groups_in_use(self) -> int:
        return int(self._library.host_fib_groups_in_use(self._fib))

    def close(self) -> None:
        self._library.host_fib_free(self._fib)


def covers(net: int, length: int, address: int) -> bool:
    return (net ^ address) >> (32 - length) == 0 if length else True


@pytest.fixture(scope="module")
def fib(qgm: ctypes.CDLL) -> Iterator[Fib]:
    table = Fib(qgm)
    yield table
    table.close()


# Few distinct bits, so that prefixes nest and share /24s; not 0 to 8, whose ranges make a test slow and no different.
addresses = st.builds(
    lambda a, b, c, d: a << 24 | b << 16 | c << 8 | d, *[st.sampled_from([0, 1, 2, 127, 128, 255])] * 4
)
prefixes = st.tuples(addresses, st.sampled_from([0, 9, 14, 15, 16, 22, 23, 24, 25, 26, 30, 31, 32])).map(
    lambda pair: (pair[0] & ~((1 << (32 - pair[1])) - 1), pair[1])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(prefixes, st.integers(1, 32767)), max_size=40), st.data())
def test_fib_finds_the_longest_prefix(fib: Fib, routes: list[tuple[tuple[int, int], int]], data: st.DataObject) -> None:
    """Any order of adding, replacing and removing; afterwards nothing is left of it."""
    for (prefix, length), hop in routes:
        fib.add(prefix, length, hop)
    probes = data.draw(st.lists(addresses, min_size=5, max_size=20))
    edges = [
        (net + offset) % 2**32
        for net, bits in fib.routes
        for offset in (-1, 0, (1 << (32 - bits)) - 1, 1 << (32 - bits))
    ]
    while True:
        for address in probes + edges:
            assert fib.lookup(address) == fib.model(address), ipaddress.ip_address(address)
        if not fib.routes:
            break
        fib.remove(*data.draw(st.sampled_from(sorted(fib.routes))))
    assert fib.groups_in_use() == 0


class Route(ctypes.Structure):
    """struct route of rib.h."""

    _fields_ = (
        ("prefix", ctypes.c_uint32),
        ("hop", ctypes.c_uint16),
        ("length", ctypes.c_uint8),
        ("kind", ctypes.c_uint8),
    )


def crowded(slot: int, low: int) -> tuple[int, int]:
    """Return a /32 that hashes to a slot of rib.c, by turning its multiplication round."""
    inverse = pow(0x9E3779B1, -1, 1 << 32)
    return ((slot << 11 | low) * inverse ^ 32 * 0x85EBCA6B) % 2**32, 32


# Half of them meet in four neighbouring slots, across the end of the table.
rib_prefixes = st.one_of(prefixes, st.builds(crowded, st.sampled_from([2**21 - 2, 2**21 - 1, 0, 1]), st.integers(0, 6)))


@settings(max_examples=100, deadline=None)
@given(st.lists(rib_prefixes, max_size=60))
def test_rib_keeps_what_was_added(qgm: ctypes.CDLL, routes: list[tuple[int, int]]) -> None:
    """A prefix that comes again is removed, so that runs of slots get gaps."""
    qgm.host_rib_new.restype = ctypes.c_void_p
    qgm.rib_find.restype = qgm.rib_parent.restype = ctypes.POINTER(Route)
    qgm.rib_add.restype = ctypes.c_bool
    rib = ctypes.c_void_p(qgm.host_rib_new())
    model: set[tuple[int, int]] = set()
    for prefix, length in routes:
        if (prefix, length) in model:
            qgm.rib_remove(rib, qgm.rib_find(rib, prefix, length))
            model.discard((prefix, length))
        else:
            assert qgm.rib_add(rib, Route(prefix, 1, length, 4))
            model.add((prefix, length))
    for prefix, length in routes:
        found = qgm.rib_find(rib, prefix, length)
        assert bool(found) == ((prefix, length) in model)
        if found:
            assert (found.contents.prefix, found.contents.length) == (prefix, length)
        parents = [bits for net, bits in model if 0 < bits < length and covers(net, bits, prefix)]
        parent = qgm.rib_parent(rib, prefix, length)
        assert (parent.contents.length if parent else 0) == max(parents, default=0)
    qgm.host_rib_free(rib)
