"""Streams whose frames differ in length: each byte is counted, and what stands at the end of a frame moves with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet6 import IPv6

from lab.vtrex.streams import parse
from tests.vtrex.serving import PATIENT, Rpc, RpcFailure, Server, connected
from tests.vtrex.test_fields import PAYLOAD, stream, variable, write
from tests.vtrex.test_frame_kinds import FCS, LONGEST, counted, flow, run, udp

MAGIC = 0xAB
HEADER = 16


def trimmed(low: int, high: int, **changes: Any) -> list[dict[str, Any]]:
    usual = {"size": 2, "min_value": low, "max_value": high, "init_value": low}
    return [variable("length", **(usual | changes)), {"type": "trim_pkt_size", "name": "length"}]


def port_bytes(rpc: Rpc) -> list[int]:
    stats = [rpc.call("get_port_stats", port_id=port) for port in (0, 1)]
    return [stats[0]["obytes"], stats[1]["ibytes"]]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bounds=st.tuples(st.integers(0, 1600), st.integers(0, 1600)).map(sorted),
    step=st.integers(1, 200),
    whole=st.integers(0, 100),
    op=st.sampled_from(["inc", "random"]),
)
def test_every_length_is_sent_and_every_byte_counted(
    rpc: Rpc, bounds: list[int], step: int, whole: int, op: str
) -> None:
    rpc.reset(0, 1)
    low, high = bounds
    step = step if (high - low + 1) % step == 0 else 1
    frame, count, before = udp(max(high, 60) + whole), 120, port_bytes(rpc)
    program = trimmed(low, high, step=step, op=op)
    with rpc.capturing(1, count) as captured:
        run(rpc, stream(program, count, frame, flow_stats=flow(1, "stats")))
    lengths = [len(one) for one in captured]
    if op == "inc":
        assert lengths == [max(60, low + k * step % (high - low + 1)) for k in range(count)]
    assert all(max(60, low) <= length <= max(60, high) for length in lengths)
    assert all(one[PAYLOAD:] == frame[PAYLOAD : len(one)] for one in captured)
    total = sum(lengths) + FCS * count
    assert [now - then for now, then in zip(port_bytes(rpc), before, strict=True)] == [total, total]
    assert counted(rpc, 1)["tb"]["0"] == counted(rpc, 1)["rb"]["1"] == total


def test_random_lengths_take_all_values_of_their_range(rpc: Rpc) -> None:
    with rpc.capturing(1, 500) as captured:
        run(rpc, stream(trimmed(64, 95, op="random"), 500, udp(200)))
    assert {len(one) for one in captured} == set(range(64, 96))


def test_the_latency_header_stands_at_the_end_of_each_frame(rpc: Rpc) -> None:
    with rpc.capturing(1, 300) as captured:
        run(rpc, stream(trimmed(60, 9100, step=113), 300, udp(9200), flow_stats=flow(2, "latency")))
    assert len({len(one) for one in captured}) == 81
    assert [one[-HEADER] for one in captured] == [MAGIC] * 300
    first = 2**32 - 2
    numbers = [int.from_bytes(one[-HEADER + 4 : -HEADER + 8], "little") for one in captured]
    assert numbers == [(first + k) % 2**32 for k in range(300)]
    latency = rpc.call("get_pgid_stats", pgids=[2])["latency"]["2"]
    assert sum(latency["lat"]["histogram"].values()) == 300
    assert "er" not in latency
    assert counted(rpc, 2)["rb"]["1"] == sum(len(one) + FCS for one in captured)


def test_streams_of_other_lengths_beside_them_are_counted_apart(rpc: Rpc) -> None:
    mode = {"type": "single_burst", "total_pkts": 3000, "rate": {"type": "pps", "value": 500_000}}
    streams = [
        stream(trimmed(64, LONGEST, step=55), frame=udp(LONGEST), mode=mode, flow_stats=flow(1, "stats")),
        stream([], frame=udp(100), mode=mode, flow_stats=flow(2, "stats")),
        stream(trimmed(64, 163), frame=udp(200), mode=mode, flow_stats=flow(3, "stats")),
    ]
    run(rpc, *streams, ports=(0, 1))
    cycle = [64 + 55 * k for k in range(-(-(LONGEST - 64 + 1) // 55))]
    totals = {
        1: sum(cycle[k % len(cycle)] + FCS for k in range(3000)),
        2: 3000 * 104,
        3: 30 * sum(length + FCS for length in range(64, 164)),
    }
    for pg_id, total in totals.items():
        for port in (0, 1):
            stats = counted(rpc, pg_id + 100 * port)
            assert stats["tb"][str(port)] == stats["rb"][str(1 - port)] == total


def test_bytes_stay_exact_where_a_device_refuses_frames(tmp_path: Path, start_server: Callable[..., Server]) -> None:
    """A guest with a short queue takes few large frames at a time: each byte that was counted as sent arrives."""
    path = tmp_path / "v"
    virtio = f"dpdk:net_virtio_user0,path={path},queue_size=64,mrg_rxbuf=1"
    server = start_server("--port", f"vhost:{path}", "--port", virtio, *PATIENT)
    with connected(server) as rpc:
        rpc.reset(0, 1)
        mode = {"type": "single_burst", "total_pkts": 20_000, "rate": {"type": "pps", "value": 4e6}}
        program = [*trimmed(64, 9000), variable("src", max_value=500), write("src", 26)]
        run(rpc, stream(program, frame=udp(9000), mode=mode, flow_stats=flow(1, "stats")))
        stats, report = counted(rpc, 1), rpc.call("pixlab_get_trial_report")
        assert report["ports"][0]["sent_packets"] == stats["tp"]["0"] == stats["rp"]["1"] == 20_000
        names = rpc.call("get_port_xstats_names", port_id=0)["xstats_names"]
        values = rpc.call("get_port_xstats_values", port_id=0)["xstats_values"]
        assert dict(zip(names, values, strict=True))["tx_refused_bursts"] > 0  # or this would show nothing
        assert stats["tb"]["0"] == stats["rb"]["1"]
        assert rpc.call("get_port_stats", port_id=0)["obytes"] == stats["tb"]["0"]


def test_a_rate_in_bits_is_reckoned_with_the_mean_length() -> None:
    mode = {"type": "continuous", "rate": {"type": "bps_L2", "value": 8e6}}
    load = parse(1, stream(trimmed(100, 300), frame=udp(400), mode=mode), 1e10).load(1e10)
    assert load.rate_pps == pytest.approx(8e6 / 8 / (200 + FCS))
    assert load.l2_bps == pytest.approx(8e6)


def test_what_has_no_room_in_the_shortest_frame_is_refused(rpc: Rpc) -> None:
    with pytest.raises(RpcFailure, match="16 bytes of payload"):
        run(rpc, stream(trimmed(40, 100), 1, udp(120, IPv6(dst="fd00::2")), flow_stats=flow(1, "latency")))
    with pytest.raises(RpcFailure, match="packet has 100 bytes"):
        run(rpc, stream(trimmed(60, 101), 1, udp(100)))
    with pytest.raises(RpcFailure, match="one only"):
        run(rpc, stream([*trimmed(60, 90), {"type": "trim_pkt_size", "name": "length"}], 1, udp(100)))


def test_trimmed_frames_cannot_be_verified(rpc: Rpc) -> None:
    rpc.call(
        "add_stream", port_id=0, stream_id=1, stream=stream(trimmed(64, 90), 1, udp(100), flow_stats=flow(1, "stats"))
    )
    arrival = {"pg_id": 1, "rx_port": 1, "hops": 0, "src_mac": "02:00:00:00:00:01", "dst_mac": "02:00:00:00:00:02"}
    with pytest.raises(RpcFailure, match="neither trim_pkt_size"):
        rpc.call("pixlab_verify", streams=[arrival])
