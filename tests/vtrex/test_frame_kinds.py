"""IPv6, VLAN tags, jumbo and short frames: counted, timed, captured and verified as plain ones are."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from tests.vtrex.field_model import checksums_right
from tests.vtrex.serving import PATIENT, Rpc, RpcFailure, Server, connected
from tests.vtrex.test_fields import FRAME, fields, sent_frames, stream, variable, write
from tests.vtrex.test_honesty import RAW

ETHER = Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
LONGEST = 9238
FCS = 4


def tagged(tags: int, *layers: Any) -> bytes:
    packet = ETHER
    for tag in range(tags):
        packet = packet / Dot1Q(vlan=tag + 5)
    for layer in layers:
        packet = packet / layer
    return bytes(packet)


def udp(length: int, network: Any = None) -> bytes:
    network = network or IP(src="16.0.0.1", dst="48.0.0.1")
    headers = len(ETHER / network / UDP())
    return bytes(ETHER / network / UDP(sport=1025, dport=12) / bytes(k * 7 % 251 for k in range(length - headers)))


def flow(pg_id: int, rule: str) -> dict[str, Any]:
    return {"enabled": True, "stream_id": pg_id, "rule_type": rule}


def run(rpc: Rpc, *streams: dict[str, Any], ports: tuple[int, ...] = (0,)) -> None:
    for port in ports:
        for stream_id, one in enumerate(streams, 1):
            numbered = dict(one["flow_stats"])
            if port and numbered["enabled"]:
                numbered["stream_id"] += 100 * port
            rpc.call("add_stream", port_id=port, stream_id=stream_id, stream=one | {"flow_stats": numbered})
        rpc.call("start_traffic", port_id=port, mul=RAW, duration=-1, force=True)
    rpc.wait_idle(*ports)


def counted(rpc: Rpc, pg_id: int) -> dict[str, Any]:
    stats: dict[str, Any] = rpc.call("get_pgid_stats", pgids=[pg_id])
    counters: dict[str, Any] = stats["flow_stats"][str(pg_id)]
    return counters


@pytest.mark.parametrize("tags", [0, 1, 2])
@pytest.mark.parametrize("transport", [UDP(), TCP()])
def test_ipv6_flows_are_counted_and_timed(rpc: Rpc, tags: int, transport: Any) -> None:
    frame = tagged(tags, IPv6(src="fd00::1", dst="fd00::2", fl=0x12345), transport, bytes(range(60)))
    source = 14 + 4 * tags + 8
    program = [variable("host", size=2, max_value=500), write("host", source + 14)]
    streams = [
        stream(program, 300, frame, flow_stats=flow(1, "stats")),
        stream(program, 200, frame, flow_stats=flow(2, "latency")),
    ]
    with rpc.capturing(1, 500) as captured:
        run(rpc, *streams)
    size = len(frame) + FCS
    assert counted(rpc, 1)["rp"]["1"] == counted(rpc, 1)["tp"]["0"] == 300
    assert counted(rpc, 1)["rb"]["1"] == counted(rpc, 1)["tb"]["0"] == 300 * size
    assert counted(rpc, 2)["rp"]["1"] == counted(rpc, 2)["tp"]["0"] == 200
    latency = rpc.call("get_pgid_stats", pgids=[2])["latency"]["2"]
    assert sum(latency["lat"]["histogram"].values()) == 200
    assert "er" not in latency  # no frame was lost or out of order
    packets = [Ether(one) for one in captured]
    latencies = [packet for packet in packets if packet[IPv6].fl == 0xFFFF]
    assert (len(latencies), len(packets)) == (200, 500)
    assert all(packet[IPv6].tc == 1 and checksums_right(packet) for packet in latencies)
    assert all(0xFC00 <= packet[IPv6].fl < 0xFFFF for packet in packets if packet[IPv6].fl != 0xFFFF)


def test_a_label_with_other_upper_bits_is_no_mark(rpc: Rpc) -> None:
    foreign = tagged(0, IPv6(src="fd00::1", dst="fd00::2", fl=0x1FC00), UDP(), bytes(20))
    marked = tagged(0, IPv6(src="fd00::1", dst="fd00::2"), UDP(), bytes(20))
    run(rpc, stream([], 10, marked, flow_stats=flow(1, "stats")), stream([], 20, foreign))
    assert counted(rpc, 1)["rp"]["1"] == 10


@pytest.mark.parametrize("rule", ["stats", "latency"])
def test_flows_of_frames_without_an_ip_header_are_refused(rpc: Rpc, rule: str) -> None:
    for frame in (bytes(ETHER / ARP()), tagged(3, IP(), UDP(), bytes(40))):
        with pytest.raises(RpcFailure, match="IPv4 or IPv6 packet with at most two VLAN tags"):
            run(rpc, stream([], 1, frame, flow_stats=flow(1, rule)))
    assert rpc.call("get_active_pgids")["ids"] == {"flow_stats": [], "latency": []}


def test_a_latency_stream_needs_room_behind_its_headers(rpc: Rpc) -> None:
    for frame in (tagged(0, IPv6(), UDP(), bytes(15)), tagged(2, IP(), TCP(), bytes(15))):
        with pytest.raises(RpcFailure, match="16 bytes of payload"):
            run(rpc, stream([], 1, frame, flow_stats=flow(1, "latency")))


@pytest.mark.parametrize("length", [14, 42, 59])
def test_short_frames_are_padded_with_zeros(rpc: Rpc, length: int) -> None:
    frame = FRAME[:length]
    assert list(sent_frames(rpc, stream([], 3, frame), 3)) == [frame + bytes(60 - length)] * 3


@pytest.mark.parametrize("length", [1518, 2048, 2049, 9000, LONGEST])
def test_frames_of_any_length_are_counted_exactly_and_arrive_whole(rpc: Rpc, length: int) -> None:
    frame = udp(length)
    before = [rpc.call("get_port_stats", port_id=port) for port in (0, 1)]
    with rpc.capturing(1, 30) as captured:
        run(
            rpc,
            stream(
                [variable("a", size=2, max_value=9), write("a", length - 20)], 30, frame, flow_stats=flow(1, "stats")
            ),
        )
    behind_checksum = 26
    assert [one[behind_checksum:] for one in captured] == [
        frame[behind_checksum : length - 20] + bytes([0, k % 9 + 1]) + frame[length - 18 :] for k in range(30)
    ]
    after = [rpc.call("get_port_stats", port_id=port) for port in (0, 1)]
    assert after[0]["obytes"] - before[0]["obytes"] == 30 * (length + FCS)
    assert after[1]["ibytes"] - before[1]["ibytes"] == 30 * (length + FCS)
    assert counted(rpc, 1)["rb"]["1"] == counted(rpc, 1)["tb"]["0"] == 30 * (length + FCS)


def test_more_jumbo_frames_than_there_are_buffers(rpc: Rpc) -> None:
    mode = {"type": "single_burst", "total_pkts": 50_000, "rate": {"type": "pps", "value": 200_000}}
    streams = [
        stream([], frame=udp(LONGEST), mode=mode, flow_stats=flow(1, "stats")),
        stream([], 1000, udp(LONGEST - 1), flow_stats=flow(2, "latency")),
    ]
    run(rpc, *streams, ports=(0, 1))
    for pg_id, tx, frames in ((1, 0, 50_000), (2, 0, 1000), (101, 1, 50_000), (102, 1, 1000)):
        stats = counted(rpc, pg_id)
        assert stats["tp"][str(tx)] == stats["rp"][str(1 - tx)] == frames


def test_verified_jumbo_frames(rpc: Rpc) -> None:
    rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([], 500, udp(9000), flow_stats=flow(1, "stats")))
    arrival = {"pg_id": 1, "rx_port": 1, "hops": 0, "src_mac": ETHER.src, "dst_mac": ETHER.dst}
    rpc.call("pixlab_verify", streams=[arrival])
    rpc.call("start_traffic", port_id=0, mul=RAW, duration=-1)
    rpc.wait_idle(0)
    (direction,) = rpc.call("pixlab_get_trial_report")["verification"]
    assert (direction["good"], direction["wrong"]) == (500, {})


def test_a_pushed_jumbo_frame_comes_in_one_piece(rpc: Rpc) -> None:
    frame = udp(9000)
    with rpc.capturing(1, 1) as captured:
        pushed = rpc.call("push_pkts", port_id=0, pkts=[{"binary": base64.b64encode(frame).decode()}])
        assert pushed["sent"] == 1
    assert captured == [frame]


def test_frames_that_are_too_long_are_refused(rpc: Rpc) -> None:
    with pytest.raises(RpcFailure, match="expected 14 to 9238"):
        run(rpc, stream([], 1, udp(LONGEST + 1)))


def test_jumbo_frames_that_arrive_in_pieces(tmp_path: Path, start_server: Callable[..., Server]) -> None:
    """A vhost-user port and a virtio-user port of one server: both receive into buffers of 2 kB."""
    path = tmp_path / "v"
    virtio = f"dpdk:net_virtio_user0,path={path},mrg_rxbuf=1,queue_size=1024"
    server = start_server("--port", f"vhost:{path}", "--port", virtio, *PATIENT)
    with connected(server) as rpc:
        rpc.reset(0, 1)
        frame = udp(9000, IPv6(src="fd00::1", dst="fd00::2"))
        program = [variable("a", size=2, max_value=999), write("a", 9000 - 20)]
        with rpc.capturing(0, 500) as at_vhost, rpc.capturing(1, 500) as at_virtio:
            streams = [
                stream(program, 300, frame, flow_stats=flow(1, "stats")),
                stream([], 200, frame, flow_stats=flow(2, "latency")),
            ]
            run(rpc, *streams, ports=(0, 1))
        for pg_id, tx in ((1, 0), (2, 0), (101, 1), (102, 1)):
            stats = counted(rpc, pg_id)
            frames = 300 if pg_id % 100 == 1 else 200
            assert stats["rp"][str(1 - tx)] == stats["tp"][str(tx)] == frames, pg_id
            assert stats["rb"][str(1 - tx)] == frames * 9004
        for captured in (at_vhost, at_virtio):
            numbered = [one for one in captured if one[16:18] != b"\xff\xff"]
            assert fields(numbered, 9000 - 20, 2) == list(range(1, 301))
            assert all(one[62:8980] == frame[62:8980] for one in captured)
