"""The field engine: what is written into the frames is read back from a capture of the wire."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from lab.vtrex.fields import compile_program
from lab.vtrex.rpc import RpcError
from tests.vtrex.serving import Rpc, RpcFailure

SRC, DST, PORT, IPV4 = 26, 30, 34, 14
FRAME = bytes(Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / IP(dst="48.0.0.1") / UDP() / bytes(60))


def stream(instructions: list[dict[str, Any]], frames: int = 40, **changes: Any) -> dict[str, Any]:
    return {
        "flags": 3, "action_count": 0, "enabled": True, "self_start": True, "start_paused": False, "isg": 0.0,
        "next_stream_id": -1, "packet": {"binary": base64.b64encode(FRAME).decode(), "meta": ""},
        "mode": {"type": "single_burst", "total_pkts": frames, "rate": {"type": "pps", "value": 100_000}},
        "vm": {"instructions": instructions}, "flow_stats": {"enabled": False},
    } | changes  # fmt: skip


def variable(name: str, **changes: Any) -> dict[str, Any]:
    usual = {"type": "flow_var", "name": name, "size": 4, "op": "inc", "step": 1, "next_var": None}
    return usual | {"init_value": 1, "min_value": 1, "max_value": 7} | changes


def write(name: str, offset: int, **changes: Any) -> dict[str, Any]:
    return {
        "type": "write_flow_var",
        "name": name,
        "pkt_offset": offset,
        "add_value": 0,
        "is_big_endian": True,
    } | changes


def sent_frames(rpc: Rpc, definition: dict[str, Any], count: int) -> Iterator[bytes]:
    capture = rpc.call("capture", command="start", limit=count, mode="fixed", tx=[], rx=[1], filter="")["capture_id"]
    rpc.call("add_stream", port_id=0, profile_id="_", stream_id=1, stream=definition)
    rpc.call("start_traffic", port_id=0, profile_id="_", mul={"type": "raw", "value": 1, "op": "abs"}, duration=-1)
    rpc.wait_idle(0)
    assert rpc.call("capture", command="stop", capture_id=capture)["pkt_count"] == count
    fetched = rpc.call("capture", command="fetch", capture_id=capture, pkt_limit=count)
    rpc.call("capture", command="remove", capture_id=capture)
    assert fetched["pending"] == 0
    yield from (base64.b64decode(packet["binary"]) for packet in fetched["pkts"])


def field(frame: bytes, offset: int, size: int) -> int:
    return int.from_bytes(frame[offset : offset + size], "big")


def test_variables_go_up_down_and_through_lists_and_the_checksum_stays_valid(rpc: Rpc) -> None:
    instructions = [
        variable("up", init_value=6, max_value=9, min_value=5),
        variable("down", op="dec", size=2, init_value=3, min_value=0, max_value=1000, step=2),
        variable("list", op="inc", size=1, value_list=[9, 4, 7]) | {"min_value": None},
        write("up", SRC),
        write("down", PORT, add_value=10, is_big_endian=False),
        write("list", IPV4 + 8),
        {"type": "fix_checksum_ipv4", "pkt_offset": IPV4},
    ]
    frames = list(sent_frames(rpc, stream(instructions), 40))
    assert [field(frame, SRC, 4) for frame in frames] == [5 + (k + 1) % 5 for k in range(40)]
    assert [field(frame, IPV4 + 8, 1) for frame in frames] == [[9, 4, 7][k % 3] for k in range(40)]
    swapped = [int.from_bytes(frame[PORT : PORT + 2], "little") - 10 for frame in frames]
    assert swapped[:5] == [3, 1, 1000, 998, 996]
    for frame in frames:
        packet = Ether(frame)
        fresh = packet[IP].copy()
        del fresh.chksum
        assert IP(bytes(fresh)).chksum == packet[IP].chksum


def test_random_values_stay_in_range_and_repeat_with_the_seed(rpc: Rpc) -> None:
    instructions = [
        variable("r", op="random", min_value=100, max_value=131),
        {
            "type": "flow_var_rand_limit",
            "name": "few",
            "size": 2,
            "limit": 5,
            "seed": 3,
            "min_value": 0,
            "max_value": 60000,
        },
        write("r", DST),
        write("few", PORT),
    ]
    runs = []
    for _ in range(2):
        frames = list(sent_frames(rpc, stream(instructions, 400, random_seed=11), 400))
        rpc.call("remove_all_streams", port_id=0)
        runs.append([field(frame, DST, 4) for frame in frames])
        few = [field(frame, PORT, 2) for frame in frames]
        assert few[:5] * 80 == few
    assert runs[0] == runs[1]
    assert set(runs[0]) == set(range(100, 132))


def test_frames_get_the_ports_addresses_unless_the_stream_keeps_its_own(rpc: Rpc) -> None:
    own = next(sent_frames(rpc, stream([], 1, flags=3), 1))
    assert own == FRAME
    rpc.call("remove_all_streams", port_id=0)
    ether = rpc.call("get_port_status", port_id=0)["attr"]["layer_cfg"]["ether"]
    ports = Ether(next(sent_frames(rpc, stream([], 1, flags=0), 1)))
    assert (ports.src, ports.dst) == (ether["src"], ether["dst"])


@pytest.mark.parametrize(
    ("instructions", "says"),
    [
        ([variable("a"), variable("a")], "twice"),
        ([variable("a", size=3)], "1, 2, 4 or 8"),
        ([variable("a", op="up")], "none of inc"),
        ([variable("a", init_value=9)], "init_value"),
        ([variable("a", size=1, max_value=256)], "max_value"),
        ([variable("a", value_list=[])], "value lists"),
        ([variable("a", value_list=[1, "x"])], "'x'"),
        ([variable("a", next_var="b")], "next_var"),
        ([write("a", 0)], "no flow variable"),
        ([variable("a"), write("a", len(FRAME) - 3)], "outside of the packet"),
        ([{"type": "fix_checksum_ipv4", "pkt_offset": 15}], "no IPv4 header"),
        ([{"type": "trim_pkt_size", "name": "a"}], "trim_pkt_size"),
        (["flow_var"], "object"),
        ([variable(f"v{k}") for k in range(17)], "16 variables"),
    ],
)
def test_programs_that_cannot_be_are_refused(instructions: list[Any], says: str) -> None:
    with pytest.raises(RpcError, match=says):
        compile_program(instructions, FRAME, 1)


def test_a_refused_stream_leaves_nothing_behind(rpc: Rpc) -> None:
    with pytest.raises(RpcFailure, match="outside of the packet"):
        rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([variable("a"), write("a", 2000)]))
    assert rpc.call("get_stream_list", port_id=0) == []
    assert rpc.call("get_port_status", port_id=0)["state"] == "IDLE"
