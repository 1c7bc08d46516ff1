"""The engine's account of loss, duplication and order, against a plain reading of RFC 4737, and over a wire."""

from __future__ import annotations

import base64
import ctypes
import struct
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from lab import paths
from lab.vtrex.latency import bucket_value
from tests.vtrex.serving import Rpc
from tests.vtrex.test_honesty import RAW, continuous

ENGINE = paths.ROOT / "lab" / "vtrex" / "engine"
WINDOW = 2**20 - 64
GAPS = 4096
EXTENTS = 12 * 1024
HEADER = struct.Struct("<BBHIQ")  # TRex's latency header
FIRST_SEQUENCE = 0xFFFFFFFE


class Tracker(ctypes.Structure):
    """The public counters of struct sequence; the rest of it is kept behind them."""

    NAMES = ("newest", "distinct", "duplicates", "reordered", "too_old", "never_sent", "extent_max", "extent_sum",
             "extent_unknown", "gap_count")  # fmt: skip
    _fields_ = (
        *((name, ctypes.c_uint64) for name in NAMES),
        ("gaps", ctypes.c_uint64 * 3 * GAPS),
        ("extents", ctypes.c_uint64 * EXTENTS),
        ("seen", ctypes.c_uint64 * (2**20 // 64)),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    built = tmp_path_factory.mktemp("sequence") / "sequence.so"
    flags = ["-O1", "-shared", "-fPIC", "-std=gnu11", "-fsanitize=undefined", "-fno-sanitize-recover"]
    subprocess.run(["cc", *flags, "-o", built, ENGINE / "sequence.c"], check=True)
    return ctypes.CDLL(str(built))


def tracked(library: ctypes.CDLL, numbers: Sequence[int], given: int) -> Tracker:
    tracker = Tracker()
    ctypes.memset(ctypes.byref(tracker), 0xFF, ctypes.sizeof(tracker))  # what an earlier start has left
    library.sequence_begin(ctypes.byref(tracker))
    for number in numbers:
        library.sequence_note(ctypes.byref(tracker), ctypes.c_uint32(number % 2**32), ctypes.c_uint64(given))
    return tracker


def told(tracker: Tracker) -> dict[str, Any]:
    extents = {bucket_value(index): count for index, count in enumerate(tracker.extents) if count}
    return {name: getattr(tracker, name) for name in Tracker.NAMES if name != "gap_count"} | {"extents": extents}


def plain(numbers: Sequence[int], given: int) -> dict[str, Any]:
    """Word by word: sections 3.3 and 4.2 over first copies, all of which are kept here."""
    came: list[int] = []
    opened: dict[int, int] = {}  # a number that was skipped -> gaps until then
    counts = dict.fromkeys(("duplicates", "reordered", "too_old", "never_sent", "extent_unknown"), 0)
    extents: list[int] = []
    next_expected = gaps = 0
    for number in numbers:
        if number >= given:
            counts["never_sent"] += 1
        elif number < next_expected - WINDOW:
            counts["too_old"] += 1
        elif number in came:
            counts["duplicates"] += 1
        else:
            if number < next_expected:
                counts["reordered"] += 1
                opened_at = max(at for at, of in opened.items() if at <= number)
                if gaps - opened[opened_at] > GAPS:
                    counts["extent_unknown"] += 1
                else:
                    extents.append(len(came) - next(j for j, earlier in enumerate(came) if earlier > number))
            elif number > next_expected:
                opened[next_expected] = gaps
                gaps += 1
            came.append(number)
            next_expected = max(next_expected, number + 1)
    return {
        "newest": next_expected,
        "distinct": len(came),
        **counts,
        "extent_max": max(extents, default=0),
        "extent_sum": sum(extents),
        "extents": {extent: extents.count(extent) for extent in sorted(set(extents))},
    }


@st.composite
def deliveries(draw: st.DrawFn) -> list[int]:
    """Numbers 0 to n - 1, of which some are lost, some come twice or thrice, in any order."""
    sent = draw(st.integers(0, 80))
    copies = draw(st.lists(st.integers(0, 3), min_size=sent, max_size=sent))
    arriving = [number for number, count in enumerate(copies) for _ in range(count)]
    return list(draw(st.permutations(arriving))) if draw(st.booleans()) else arriving


@settings(deadline=None, max_examples=400)
@given(deliveries())
def test_losses_duplicates_and_order_are_told_apart(library: ctypes.CDLL, numbers: list[int]) -> None:
    assert told(tracked(library, numbers, 80)) == plain(numbers, 80)


@settings(deadline=None, max_examples=400)
@given(
    st.lists(
        st.tuples(st.sampled_from((0, 64, WINDOW, 2**20, 2**21, 3 * 2**20 + 7)), st.integers(0, 70)).map(sum),
        max_size=60,
    ),
    st.sampled_from((WINDOW + 30, 2**40)),
)
def test_what_is_beyond_the_window_is_counted_by_itself(library: ctypes.CDLL, numbers: list[int], given: int) -> None:
    assert told(tracked(library, numbers, given)) == plain(numbers, given)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_the_extent_of_a_forgotten_gap_is_unknown(library: ctypes.CDLL, extra: int) -> None:
    odd = range(1, 2 * (GAPS + extra), 2)
    numbers = [*odd, 0, 2, odd[-1] - 1, odd[-1] + 1]
    found = told(tracked(library, numbers, 2**20))
    assert found["extent_unknown"] == max(0, extra)
    assert found["reordered"] == 3
    exact = plain(numbers, 2**20)
    buckets = {**exact, "extents": found["extents"]}  # those above 2048 share buckets
    assert found == buckets
    assert sum(found["extents"].values()) == sum(exact["extents"].values())


def test_numbers_go_on_behind_32_bits(library: ctypes.CDLL) -> None:
    numbers = [2**31 - 1, 2**32 - 2, 2**32 + 1, 2**32 - 1, 2**32 + 1, 2**33 - 1, 2**33 - 5]
    numbers[5:5] = [2**32 + 2**31 - 1]
    assert told(tracked(library, numbers, 2**40)) == plain(numbers, 2**40)


@pytest.mark.parametrize("verified", [False, True])
def test_copies_and_late_frames_on_a_wire_are_counted_as_such(rpc: Rpc, verified: bool) -> None:
    """What a DUT would send again, put on the wire by hand: captured frames of a stream that is over."""
    rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(2_000, pg_id=9, rule="latency"))
    if verified:
        arrival = {"pg_id": 9, "rx_port": 1, "src_mac": "02:00:00:00:00:01", "dst_mac": "02:00:00:00:00:02", "hops": 0}
        rpc.call("pixlab_verify", streams=[arrival])
    with rpc.capturing(1, limit=40) as frames:
        rpc.call("start_traffic", port_id=0, mul=RAW, duration=0.1)
        rpc.wait_idle(0)
    before = rpc.call("pixlab_get_sequence", pg_id=9)
    assert (before["numbered"], before["received"], before["lost"]) == (200, 200, 0)
    assert (before["duplicates"], before["reordered"], before["window"]) == (0, 0, WINDOW)
    foreign = bytearray(frames[0])
    magic, generation, hw_id, _, stamp = HEADER.unpack(foreign[-16:])
    foreign[-16:] = HEADER.pack(magic, generation, hw_id, (FIRST_SEQUENCE + 5000) % 2**32, stamp)
    for frame in (frames[7], frames[3], frames[7], bytes(foreign)):
        push(rpc, frame)
    after = rpc.call("pixlab_get_sequence", pg_id=9)
    assert (after["received"], after["duplicates"], after["lost"]) == (200, 3, 0)
    assert after["never_sent"] == (0 if verified else 1)  # the signature does not fit: it is wrong, and counted there
    assert rpc.call("pixlab_get_latency", pg_id=9)["negative"] == 0


def test_time_stamps_that_cannot_be_are_counted_and_not_hidden(rpc: Rpc) -> None:
    rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(2_000, pg_id=9, rule="latency"))
    with rpc.capturing(1, limit=10) as frames:
        rpc.call("start_traffic", port_id=0, mul=RAW, duration=0.1)
        rpc.wait_idle(0)
    usual = rpc.call("pixlab_get_latency", pg_id=9)
    assert (usual["count"], usual["negative"], usual["over_10s"]) == (200, 0, 0)
    for ticks in (10**14, -(10**14)):  # hours ahead of the clock, and behind it
        magic, generation, hw_id, sequence, stamp = HEADER.unpack(frames[5][-16:])
        push(rpc, frames[5][:-16] + HEADER.pack(magic, generation, hw_id, sequence, (stamp + ticks) % 2**64))
    found = rpc.call("pixlab_get_latency", pg_id=9)
    assert (found["count"], found["negative"], found["over_10s"]) == (202, 1, 1)
    assert found["min_ns"] == 0
    assert found["max_ns"] > 10e9
    histogram = HdrHistogram.decode(found["hdr"])
    assert histogram.get_total_count() == 202
    assert histogram.get_max_value() <= histogram.get_highest_equivalent_value(10_000_000_000)


def push(rpc: Rpc, frame: bytes) -> None:
    packet = {"binary": base64.b64encode(frame).decode(), "use_port_dst_mac": False, "use_port_src_mac": False}
    assert rpc.call("push_pkts", port_id=0, pkts=[packet], force=True, ipg_usec=0)["sent"] == 1
