"""Every received frame is verified: a far end on veth ports does wrong to some, and each is found and counted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.vtrex.far_end import FarEnd
from tests.vtrex.namespace import LINKS, namespace
from tests.vtrex.serving import PATIENT, Rpc, RpcFailure, Server, connected
from tests.vtrex.test_fields import DST, FRAME, IPV4, stream, variable, write
from tests.vtrex.test_honesty import run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

ARRIVAL = {"src_mac": "02:00:00:00:00:0d", "dst_mac": "02:00:00:00:00:0c", "hops": 1}


def swept(addresses: int) -> list[dict[str, Any]]:
    """Let the destination step through so many addresses."""
    first = 48 << 24
    return [
        variable("dst", min_value=first, max_value=first + addresses - 1, init_value=first),
        write("dst", DST),
        {"type": "fix_checksum_ipv4", "pkt_offset": IPV4},
    ]


SWEPT = swept(100)


@pytest.fixture(scope="module")
def netns() -> Iterator[str]:
    with namespace(*LINKS) as file:
        yield file


@pytest.fixture(scope="module")
def server(netns: str) -> Iterator[Server]:
    ports = ["--port", "af_packet:far0", "--port", "af_packet:far1", "--netns", netns]
    running = Server(*ports, *PATIENT)
    yield running
    assert running.stop() == (0, "")


@pytest.fixture
def rpc(server: Server) -> Iterator[Rpc]:
    with connected(server) as rpc:
        rpc.reset(0, 1)
        yield rpc


@pytest.fixture
def far_end(netns: str) -> Iterator[Callable[[str], FarEnd]]:
    started: list[FarEnd] = []

    def start(fault: str) -> FarEnd:
        started.append(FarEnd(netns, fault))
        return started[-1]

    yield start
    for far in started:
        far.kill()


def add_streams(rpc: Rpc, instructions: list[dict[str, Any]] = SWEPT, *, tagged: bool = True) -> None:
    """Let both ports send a bulk and, if ``tagged``, a latency stream to the other, all verified."""
    kinds = (
        [(10, "stats", 700, instructions), (20, "latency", 300, [])] if tagged else [(10, "stats", 1000, instructions)]
    )
    for port in (0, 1):
        for pg_id, rule, rate_pps, program in kinds:
            flow = {"enabled": True, "stream_id": pg_id + port, "rule_type": rule}
            mode = {"type": "continuous", "rate": {"type": "pps", "value": rate_pps}}
            definition = stream(program, mode=mode, flow_stats=flow)
            rpc.call("add_stream", port_id=port, stream_id=pg_id, stream=definition)
    asked = [{"pg_id": pg_id + port, "rx_port": 1 - port, **ARRIVAL} for port in (0, 1) for pg_id, *_ in kinds]
    rpc.call("pixlab_verify", streams=asked)


def received(rpc: Rpc) -> list[int]:
    """Return what counts as received, by direction."""
    flows = rpc.call("get_pgid_stats", pgids=[10, 11, 20, 21])["flow_stats"]
    ours = [[flows.get(str(pg_id + port), {"rp": {}}) for pg_id in (10, 20)] for port in (0, 1)]
    return [sum(flow["rp"].get(str(1 - port), 0) for flow in ours[port]) for port in (0, 1)]


def found(rpc: Rpc, frames: int, *, flows: int = 2, limit_s: float = 5.0) -> list[dict[str, Any]]:
    """Return what was found in each direction once so many frames have been judged there, or at the time limit."""
    deadline = time.monotonic() + limit_s
    while True:
        directions: list[dict[str, Any]] = rpc.call("pixlab_get_trial_report")["verification"]
        assert [(d["tx_port"], d["rx_port"], d["flows"]) for d in directions] == [(0, 1, flows), (1, 0, flows)]
        judged = [d["good"] + sum(wrong_frames(d).values()) for d in directions]
        if min(judged) >= frames or time.monotonic() > deadline:
            return directions
        time.sleep(0.02)


def wrong_frames(direction: dict[str, Any]) -> dict[str, int]:
    return {kind: wrong["frames"] for kind, wrong in direction["wrong"].items()}


CONTENT = "wrong_content"
FAULTS = [
    ("payload", CONTENT, "byte 43 is 0x01, expected 0x00"),
    ("last-byte", CONTENT, "addresses, number or signature"),
    ("identification", CONTENT, "byte 18 is 0xb"),
    ("ether-type", CONTENT, "byte 12 is 0x09, expected 0x08"),
    ("addresses", CONTENT, "byte 26|addresses, number or signature"),
    ("ttl", CONTENT, "byte 22 is 0x40, expected 0x3f"),
    ("checksum", CONTENT, "checksum is wrong"),
    ("next-hop", CONTENT, "byte 5 is 0x0d, expected 0x0c"),
    ("cut", CONTENT, f"{len(FRAME) - 1} bytes long, expected {len(FRAME)}"),
    ("longer", CONTENT, f"{len(FRAME) + 1} bytes long, expected {len(FRAME)}"),
    ("duplicate", "duplicate", ""),
    ("port", "misdelivered", ""),
]


def test_a_far_end_that_does_right_is_found_right(rpc: Rpc, far_end: Callable[[str], FarEnd]) -> None:
    far = far_end("none")
    add_streams(rpc)
    run(rpc, 0.4, 0, 1)
    for direction in found(rpc, 400):
        assert (direction["good"], direction["reordered"], direction["wrong"]) == (400, 0, {})
    assert received(rpc) == [400, 400]
    assert far.end(400) == {"right": [400, 400], "wronged": [0, 0]}


@pytest.mark.parametrize(("fault", "kind", "reason"), FAULTS, ids=[fault for fault, *_ in FAULTS])
def test_wrong_frames_are_found_and_do_not_count_as_received(
    rpc: Rpc, far_end: Callable[[str], FarEnd], fault: str, kind: str, reason: str
) -> None:
    far = far_end(fault)
    add_streams(rpc)
    run(rpc, 0.4, 0, 1)
    did = far.end(400)
    assert did["wronged"] == [40, 40]
    directions = found(rpc, did["right"][0] + 40)
    assert received(rpc) == did["right"] == [direction["good"] for direction in directions]
    for port, direction in enumerate(directions):
        assert wrong_frames(direction) == {kind: 40}
        first = direction["wrong"][kind]["first"]
        assert any(word in first["reason"] for word in reason.split("|"))
        assert first["port"] == (port if fault == "port" else 1 - port)
        assert len(bytes.fromhex(first["hex"])) == 64


def test_frames_of_the_run_before_are_stale(rpc: Rpc, far_end: Callable[[str], FarEnd]) -> None:
    far = far_end("keep")
    add_streams(rpc)
    run(rpc, 0.4, 0, 1)
    for direction in found(rpc, 400):
        assert (direction["good"], direction["wrong"]) == (400, {})
    far.tell("right")
    for port in (0, 1):
        rpc.call("remove_all_streams", port_id=port, profile_id="_")
    add_streams(rpc)
    for port in (0, 1):
        rpc.call("start_traffic", port_id=port, mul={"type": "raw", "value": 1, "op": "abs"}, duration=0.4)
    far.tell("replay")
    rpc.wait_idle(0, 1)
    for direction in found(rpc, 440):
        assert (direction["good"], wrong_frames(direction)) == (400, {"stale": 40})
    assert received(rpc) == [400, 400]


def test_a_frame_of_this_run_that_comes_again_later_is_a_duplicate(rpc: Rpc, far_end: Callable[[str], FarEnd]) -> None:
    far = far_end("keep")
    add_streams(rpc)
    run(rpc, 0.4, 0, 1)
    far.tell("replay")
    for direction in found(rpc, 440):
        assert (direction["good"], wrong_frames(direction)) == (400, {"duplicate": 40})


@pytest.mark.parametrize(("addresses", "reordered"), [(1, 39), (5, 39), (100, 0)])
def test_a_frame_is_reordered_when_a_later_one_with_the_same_addresses_came_before(
    rpc: Rpc, far_end: Callable[[str], FarEnd], addresses: int, reordered: int
) -> None:
    far = far_end("late")
    add_streams(rpc, swept(addresses), tagged=False)
    run(rpc, 0.4, 0, 1)
    far.end(400)
    for direction in found(rpc, 399, flows=1):  # the last one that was held back was never sent on
        assert (direction["good"], direction["reordered"], direction["wrong"]) == (399, reordered, {})


def test_without_the_request_nothing_is_signed(rpc: Rpc, far_end: Callable[[str], FarEnd]) -> None:
    far_end("payload")
    flow = {"enabled": True, "stream_id": 10, "rule_type": "stats"}
    rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([], 40, flow_stats=flow))
    with rpc.capturing(1, limit=40) as frames:
        report = run(rpc, -1, 0)
        deadline = time.monotonic() + 5
        while received(rpc)[0] < 40 and time.monotonic() < deadline:
            time.sleep(0.02)
    assert report["verification"] == []
    assert {frame[42:] for frame in frames} == {FRAME[42:], bytes([0, 1]) + FRAME[44:]}
    assert received(rpc)[0] == 40


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pg_id": 99}, "pg_id 99 is not that of exactly one stream"),
        ({"rx_port": 7}, "no port 7"),
        ({"src_mac": "02:00"}, "'02:00' is no MAC"),
        ({"hops": 64}, "TTL of 64 does not last"),
        ({"hops": None}, "'hops' value is null"),
    ],
)
def test_a_request_that_cannot_be_is_refused(rpc: Rpc, changes: dict[str, Any], says: str) -> None:
    flow = {"enabled": True, "stream_id": 10, "rule_type": "stats"}
    rpc.call("add_stream", port_id=0, stream_id=1, stream=stream(SWEPT, flow_stats=flow))
    with pytest.raises(RpcFailure, match=says):
        rpc.call("pixlab_verify", streams=[{"pg_id": 10, "rx_port": 1, **ARRIVAL, **changes}])


@pytest.mark.parametrize("offset", [0, IPV4 + 8, len(FRAME) - 4])
def test_a_stream_that_writes_what_must_not_change_is_refused(rpc: Rpc, offset: int) -> None:
    flow = {"enabled": True, "stream_id": 10, "rule_type": "stats"}
    rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([variable("a"), write("a", offset)], flow_stats=flow))
    with pytest.raises(RpcFailure, match="what is verified may change only"):
        rpc.call("pixlab_verify", streams=[{"pg_id": 10, "rx_port": 1, **ARRIVAL}])
