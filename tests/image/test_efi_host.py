"""What the EFI application makes of a firmware's memory map and of a DHCP packet, against models in Python."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.image import hostlib
from tests.image.hostlib import SANITIZE

PAGE_BYTES = 4096
USABLE, RESERVED, RECLAIM, NVS, UNUSABLE = 1, 2, 3, 4, 5
# By the types of UEFI 2.10, table 7.10, once boot services have ended.
E820_TYPE = {1: USABLE, 2: USABLE, 3: USABLE, 4: USABLE, 7: USABLE, 8: UNUSABLE, 9: RECLAIM, 10: NVS}
SUFFIX = b".routes"
OPTIONS_AT, FILE_AT, FILE_BYTES = 240, 108, 128

Range = tuple[int, int, int]  # first page, pages, type


@pytest.fixture(scope="module")
def efi(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("efi")
    hostlib.build(folder, str(folder / "libefi.so"), SANITIZE=os.environ.get(SANITIZE, ""))
    return ctypes.CDLL(str(folder / "libefi.so"))


def translated(efi: ctypes.CDLL, ranges: list[Range], room: int = 64, descriptor_bytes: int = 48) -> list[Range]:
    """Return what the application makes of descriptors; its array has not one entry more than it is told."""
    packed = b"".join(
        struct.pack("<I4xQQQQ", kind, first * PAGE_BYTES, 0xDEAD, pages, 0xF).ljust(descriptor_bytes, b"\xee")
        for first, pages, kind in ranges
    )
    given_map = ctypes.create_string_buffer(packed, max(1, len(packed)))
    entries = (ctypes.c_uint8 * (24 * room))()
    count = efi.efi_memory_to_e820(
        given_map, ctypes.c_uint64(len(packed)), ctypes.c_uint64(descriptor_bytes), entries, ctypes.c_uint32(room)
    )
    assert count <= room
    found = [struct.unpack_from("<QQII", bytes(entries), 24 * number) for number in range(count)]
    assert all(base % PAGE_BYTES == length % PAGE_BYTES == 0 and valid == 1 for base, length, _, valid in found)
    return [(base // PAGE_BYTES, length // PAGE_BYTES, kind) for base, length, kind, _ in found]


def pages(ranges: list[Range]) -> Iterator[tuple[int, int]]:
    return ((page, kind) for first, count, kind in ranges for page in range(first, first + count))


@given(st.data())
def test_every_page_keeps_what_it_is(efi: ctypes.CDLL, data: st.DataObject) -> None:
    """Descriptors in any order, that may overlap, of known and of unknown types, as far apart as a firmware likes."""
    one = st.tuples(st.integers(0, 60), st.integers(0, 12), st.one_of(st.integers(0, 16), st.just(0x80000001)))
    ranges = data.draw(st.lists(one, max_size=12))
    said: dict[int, set[int]] = {}
    for page, kind in pages(ranges):
        said.setdefault(page, set()).add(E820_TYPE.get(kind, RESERVED))
    found = translated(efi, ranges, descriptor_bytes=data.draw(st.sampled_from([40, 48, 64])))
    listed = dict(pages(found))
    assert listed.keys() == said.keys()
    usable = {page for page, kinds in said.items() if kinds == {USABLE}}
    assert {page for page, kind in listed.items() if kind == USABLE} == usable
    assert all(kind in said[page] for page, kind in listed.items())
    for (first, count, kind), (next_first, _, next_kind) in pairwise(found):
        assert first + count < next_first or (first + count == next_first and kind != next_kind)


def test_where_room_ends_the_lower_memory_is_listed(efi: ctypes.CDLL) -> None:
    every_other = [(2 * number, 1, 7) for number in range(100)]
    assert translated(efi, every_other[::-1], room=64) == [(2 * number, 1, USABLE) for number in range(64)]
    assert translated(efi, every_other, room=0) == []


def test_memory_up_to_the_last_byte_does_not_wrap(efi: ctypes.CDLL) -> None:
    top = (1 << 52) - 4
    assert translated(efi, [(top, 1 << 60, 7)]) == [(top, 3, USABLE)]


def name_in(efi: ctypes.CDLL, packet: bytes, room: int = 64) -> bytes | None:
    name = (ctypes.c_uint8 * room)()
    copy = (ctypes.c_uint8 * len(packet)).from_buffer_copy(packet) if packet else (ctypes.c_uint8 * 1)()
    failed = efi.boot_file_name(copy, ctypes.c_size_t(len(packet)), SUFFIX, name, ctypes.c_size_t(room))
    return None if failed else bytes(name).split(b"\0", 1)[0]


def packet_with(file: bytes, *options: tuple[int, bytes]) -> bytes:
    head = bytes(FILE_AT) + file.ljust(FILE_BYTES, b"\0") + b"\x63\x82\x53\x63"
    return head + b"".join(bytes([code, len(value)]) + value for code, value in options) + b"\xff" + bytes(20)


def test_the_boot_file_is_named_by_the_option_or_the_field(efi: ctypes.CDLL) -> None:
    assert len(packet_with(b"")) > OPTIONS_AT
    assert name_in(efi, packet_with(b"pix.efi", (53, b"\5"))) == b"pix.efi.routes"
    assert name_in(efi, packet_with(b"field", (53, b"\5"), (67, b"option.efi\0"))) == b"option.efi.routes"
    assert name_in(efi, packet_with(b"\x43\3abc", (52, b"\1"))) is None, "options are in the field"
    assert name_in(efi, packet_with(b"field", (52, b"\2"))) == b"field.routes", "options are in the field sname"
    assert name_in(efi, packet_with(b"")) is None
    assert name_in(efi, packet_with(b"f" * 128), room=256) == b"f" * 128 + SUFFIX
    assert name_in(efi, packet_with(b"pix.efi"), room=14) is None
    assert name_in(efi, packet_with(b"pix.efi"), room=15) == b"pix.efi.routes"


@given(st.binary(max_size=300), st.integers(1, 40))
def test_no_packet_is_read_or_written_beyond_its_end(efi: ctypes.CDLL, tail: bytes, room: int) -> None:
    """The sanitizers run this, too (test_sanitizers.py)."""
    for packet in (tail, bytes(FILE_AT) + b"boot".ljust(FILE_BYTES, b"\0") + b"\x63\x82\x53\x63" + tail):
        name = name_in(efi, packet, room)
        assert name is None or (name.endswith(SUFFIX) and len(name) < room)


class Served(ctypes.Structure):
    """struct served of hostlib/efi/pxe.c."""

    _fields_ = (
        ("content", ctypes.c_char_p),
        ("size", ctypes.c_uint64),
        ("tells_sizes", ctypes.c_int),
        ("error", ctypes.c_int),
    )


PACKET_BYTES, NO_PXE, NOT_FOUND, BUFFER_TOO_SMALL = 1472, 0xFFFF, 0x3B, 5
TEXT = b"20.0.0.0/8 via 198.18.0.2\n"


def route_file(
    efi: ctypes.CDLL, *files: bytes | None, tells_sizes: bool = True, error: int = -1, room: int = 64 << 20
) -> tuple[bytes, bytes, int]:
    """Return content, name and status after DHCP, a proxy and a boot server have named boot files."""
    packets = (ctypes.c_char_p * 3)(
        *(None if file is None else packet_with(file).ljust(PACKET_BYTES, b"\0") for file in (*files, None, None)[:3])
    )
    buffer = ctypes.create_string_buffer(room)
    ctypes.memset(buffer, ord("x"), room)
    name, status = ctypes.create_string_buffer(256), ctypes.c_uint32()
    served = Served(TEXT, len(TEXT), tells_sizes, error)
    efi.efi_route_file.restype = ctypes.c_uint64
    size = efi.efi_route_file(packets, ctypes.byref(served), buffer, ctypes.c_uint64(room), name, ctypes.byref(status))
    return ctypes.string_at(buffer, size), name.value, status.value


@pytest.mark.parametrize("tells_sizes", [True, False])  # EDK II, iPXE
def test_the_route_file_comes_whole_from_whoever_named_the_image(efi: ctypes.CDLL, tells_sizes: bool) -> None:
    for named in ((b"a",), (b"no", b"a"), (b"no", b"no", b"a")):
        assert route_file(efi, *named, tells_sizes=tells_sizes) == (TEXT, b"a.routes", 0)


def test_why_there_is_no_route_file_is_told(efi: ctypes.CDLL) -> None:
    assert route_file(efi, None)[::2] == (b"", NO_PXE)
    assert route_file(efi, b"")[::2] == (b"", NO_PXE), "no name"
    assert route_file(efi, b"a", error=1)[::2] == (b"", NOT_FOUND)
    assert route_file(efi, b"a", error=0)[::2] == (b"", NOT_FOUND), "EDK II says 0 of every error"
    assert route_file(efi, b"a", error=1, tells_sizes=False)[::2] == (b"", NOT_FOUND)
    assert route_file(efi, b"a", error=2)[::2] == (b"", 23), "access violation"
    for tells_sizes in (True, False):
        assert route_file(efi, b"a", room=4, tells_sizes=tells_sizes)[::2] == (b"", BUFFER_TOO_SMALL)
