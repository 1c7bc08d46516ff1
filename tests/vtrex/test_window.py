"""Which numbers of a flow never came: the engine's window against a plain set of what came, at every size of a jump."""

from __future__ import annotations

import ctypes
import itertools
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab import paths

ENGINE = paths.ROOT / "lab" / "vtrex" / "engine"
SIZE = 256
LOSSES = ("lost", "first", "run_first", "run", "longest_first", "longest")
PROGRAM = """
#include <string.h>
#include "window.c"
#include "timetable.c"
int note(struct window *window, uint64_t number)
{
	return window_has_left(window, number) ? -1 : window_note(window, number);
}
void missing(const struct window *window, uint64_t given, struct losses *losses)
{
	*losses = window_losses(window, given);
}
"""


class Losses(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in LOSSES)
    lost: int
    first: int
    run_first: int
    run: int
    longest_first: int
    longest: int


class Window(ctypes.Structure):
    _fields_ = (
        ("newest", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("seen", ctypes.POINTER(ctypes.c_uint64)),
        ("left", Losses),
    )


class Entry(ctypes.Structure):
    _fields_ = (
        ("number", ctypes.c_uint64), ("tick", ctypes.c_uint64), ("fraction", ctypes.c_double),
        ("period", ctypes.c_double),
    )  # fmt: skip


class Timetable(ctypes.Structure):
    _fields_ = (("count", ctypes.c_uint32), ("unknown_from", ctypes.c_uint64), ("entries", Entry * 256))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder: Path = tmp_path_factory.mktemp("window")
    (folder / "window_test.c").write_text(PROGRAM)
    flags = ["-O1", "-shared", "-fPIC", "-std=gnu11", "-fsanitize=undefined", "-fno-sanitize-recover"]
    subprocess.run(["cc", *flags, f"-I{ENGINE}", "-o", folder / "window.so", folder / "window_test.c"], check=True)
    loaded = ctypes.CDLL(str(folder / "window.so"))
    loaded.timetable_after_first.restype = ctypes.c_double
    return loaded


def lost_of(library: ctypes.CDLL, numbers: Sequence[int], given: int) -> tuple[list[int], Losses]:
    """Return what note() said of each number, and the losses at the end."""
    seen = (ctypes.c_uint64 * (SIZE // 64))()
    window = Window(size=SIZE, seen=ctypes.cast(seen, ctypes.POINTER(ctypes.c_uint64)))
    said = [library.note(ctypes.byref(window), ctypes.c_uint64(number)) for number in numbers]
    losses = Losses()
    library.missing(ctypes.byref(window), ctypes.c_uint64(given), ctypes.byref(losses))
    return said, losses


def runs(missing: Sequence[int]) -> list[tuple[int, int]]:
    """Return (first number, length) of each run of successive numbers."""
    grouped = itertools.groupby(enumerate(missing), lambda pair: pair[1] - pair[0])
    members = [[number for _, number in group] for _, group in grouped]
    return [(run[0], len(run)) for run in members]


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[int], int]:
    """Numbers that rise by jumps up to more than two windows, some of them moved back or repeated; and those given."""
    jump = st.one_of(st.integers(1, 3), st.integers(1, 130), st.integers(1, 3 * SIZE))
    at, numbers = draw(st.integers(-1, 2 * SIZE)), []
    for step in draw(st.lists(jump, max_size=60)):
        at += step
        numbers.append(at)
        if draw(st.integers(0, 4)) == 0:
            numbers.append(max(0, at - draw(st.integers(0, SIZE + 70))))
    return numbers, max(numbers, default=-1) + 1 + draw(st.sampled_from((0, 1, 63, 64, 5000)))


@settings(deadline=None, max_examples=500)
@given(arrivals())
def test_what_never_came_is_known_by_number(library: ctypes.CDLL, case: tuple[list[int], int]) -> None:
    numbers, given_numbers = case
    said, found = lost_of(library, numbers, given_numbers)
    came: set[int] = set()
    newest = 0
    for number, verdict in zip(numbers, said, strict=True):
        if verdict == -1:
            assert number < newest - SIZE + 64
            continue
        assert verdict == (number not in came)
        came.add(number)
        newest = max(newest, number + 1)
    missing = sorted(set(range(given_numbers)) - came)
    assert found.lost == len(missing)
    if missing:
        longest = max(runs(missing), key=lambda run: run[1])  # the earliest of several
        assert (found.first, found.run_first + found.run - 1) == (missing[0], missing[-1])
        assert (found.longest_first, found.longest) == longest


def test_a_jump_of_a_thousand_million_numbers_takes_no_time(library: ctypes.CDLL) -> None:
    far = 10**15
    _, found = lost_of(library, [0, 1, far], far + 1)
    assert (found.lost, found.first, found.longest_first, found.longest) == (far - 2, 2, 2, far - 2)


def test_a_timetable_follows_bursts_and_frames_that_were_too_late(library: ctypes.CDLL) -> None:
    table = Timetable()
    library.timetable_begin(ctypes.byref(table))
    for entry in ((0, 1000, 0.5, 10.0), (100, 5000, 0.0, 10.0), (150, 5600, 0.0, 10.0), (150, 5700, 0.0, 10.0)):
        library.timetable_add(ctypes.byref(table), Entry(*entry))
    due = {n: library.timetable_after_first(ctypes.byref(table), ctypes.c_uint64(n)) for n in (0, 99, 100, 149, 150)}
    assert due == {0: 0.0, 99: 990.0, 100: 3999.5, 149: 4489.5, 150: 4699.5}
    assert table.unknown_from == 2**64 - 1
    for number in range(200, 200 + 256):
        library.timetable_add(ctypes.byref(table), Entry(number, 10**6 + number, 0.0, 1.0))
    assert table.unknown_from == 200 + 256 - 3
