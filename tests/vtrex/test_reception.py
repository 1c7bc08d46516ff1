"""What a server hands out beside its captures: receive queues, capture ports, captures that go to an endpoint."""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

from tests.vtrex.serving import Rpc, RpcFailure, Server, run_client
from tests.vtrex.test_fields import stream

FRAME = base64.b64decode(stream([])["packet"]["binary"])


def push(rpc: Rpc, port_id: int, *frames: bytes) -> None:
    packets = [{"binary": base64.b64encode(frame).decode()} for frame in frames]
    assert rpc.call("push_pkts", port_id=port_id, pkts=packets, force=False, ipg_usec=0)["sent"] == len(frames)


def numbered(count: int) -> list[bytes]:
    return [FRAME[:-1] + bytes([number]) for number in range(count)]


@contextmanager
def pair(endpoint: str = "tcp://127.0.0.1:*") -> Iterator[tuple[zmq.Socket[bytes], str]]:
    context = zmq.Context()
    socket = context.socket(zmq.PAIR)
    socket.setsockopt(zmq.RCVTIMEO, 3000)
    socket.bind(endpoint)
    yield socket, socket.getsockopt_string(zmq.LAST_ENDPOINT)
    socket.close(linger=0)
    context.term()


def until(condition: Any, limit_s: float = 5.0) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def queue(rpc: Rpc, port_id: int) -> Any:
    return rpc.call("get_port_status", port_id=port_id)["rx_info"]["queue"]


def test_the_receive_queue_holds_the_last_frames_until_they_are_taken(rpc: Rpc) -> None:
    rpc.call("set_rx_feature", port_id=1, type="queue", enabled=True, size=3)
    assert queue(rpc, 1) == {"is_active": True, "size": 3, "count": 0}
    frames = numbered(5)
    push(rpc, 0, *frames)
    until(lambda: queue(rpc, 1)["count"] == 3)
    taken = rpc.call("get_rx_queue_pkts", port_id=1)["pkts"]
    assert [base64.b64decode(packet["binary"]) for packet in taken] == frames[2:]
    assert rpc.call("get_rx_queue_pkts", port_id=1) == {"pkts": []}
    assert rpc.call("capture", command="status") == []  # it is nobody's capture
    rpc.call("set_rx_feature", port_id=1, type="queue", enabled=False)
    assert queue(rpc, 1) == {"is_active": False}
    with pytest.raises(RpcFailure, match="no RX queue"):
        rpc.call("get_rx_queue_pkts", port_id=1)


@pytest.mark.parametrize("generation", [4, 5])
def test_the_receive_queue_of_the_official_clients(wire_server: Server, generation: int) -> None:
    seen = run_client(
        wire_server,
        """
        client.reset(ports=[0, 1])
        client.set_service_mode(ports=[0, 1])
        client.set_rx_queue(ports=[1], size=10)
        client.push_packets([bytes(udp(64))] * 4, ports=[0])
        time.sleep(0.2)
        frames = client.ports[1].get_rx_queue_pkts().data()
        client.remove_rx_queue(ports=[1])
        client.set_service_mode(ports=[0, 1], enabled=False)
        answer([frame["binary"][12:] == bytes(udp(64))[12:] for frame in frames])  # the port's MAC addresses
        """,
        generation=generation,
    )
    assert seen == [True] * 4


def test_a_capture_port_joins_the_port_to_a_socket_of_the_client(wire_server: Server) -> None:
    seen = run_client(
        wire_server,
        """
        import zmq
        client.reset(ports=[0, 1])
        client.set_service_mode(ports=[0, 1])
        mine = zmq.Context().socket(zmq.PAIR)
        mine.setsockopt(zmq.RCVTIMEO, 3000)
        endpoint = "tcp://127.0.0.1:%d" % mine.bind_to_random_port("tcp://127.0.0.1")
        client.start_capture_port(1, endpoint, "udp port 12")
        active = rpc("get_port_status", port_id=1)["rx_info"]["capture_port"]
        time.sleep(0.2)
        client.push_packets([bytes(Ether() / ("z" * 60)), bytes(udp(64))], ports=[0])
        received = [mine.recv()]
        client.set_capture_port_bpf_filter(1, "ip6")
        client.push_packets([bytes(udp(64)), bytes(Ether() / IPv6() / ("z" * 60))], ports=[0])
        received.append(mine.recv())
        capture = client.start_capture(rx_ports=[0], limit=5)
        sent = bytes(udp(100))
        mine.send(sent)
        time.sleep(0.3)
        back = []
        client.stop_capture(capture["id"], output=back)
        client.stop_capture_port(1)
        client.set_service_mode(ports=[0, 1], enabled=False)
        answer([active["endpoint"] == endpoint, active["bpf_filter"],
                received[0][12:] == bytes(udp(64))[12:], IPv6 in Ether(received[1]),
                [frame["binary"] == sent for frame in back],
                rpc("get_port_status", port_id=1)["rx_info"]["capture_port"]])
        """,
    )
    assert seen == [True, "udp port 12", True, True, [True], {"is_active": False}]


def records_of_pcap(data: bytes) -> list[bytes]:
    assert struct.unpack_from("<IHH", data) == (0xA1B23C4D, 2, 4)
    at, found = 24, []
    while at < len(data):
        seconds, nanoseconds, kept, wire = struct.unpack_from("<IIII", data, at)
        assert abs(seconds - time.time()) < 60 and nanoseconds < 10**9 and kept == wire
        found.append(data[at + 16 : at + 16 + kept])
        at += 16 + kept
    return found


@pytest.mark.parametrize(("name", "limit"), [("a.pcap", 0), ("a.pcapng", 0), ("a.pcapng", 3)])
def test_a_capture_to_a_file_holds_what_came(rpc: Rpc, tmp_path: Path, name: str, limit: int) -> None:
    from scapy.utils import rdpcap

    path = tmp_path / name
    endpoint = f"file://{path}"
    capture = rpc.call("capture", command="start", limit=limit, mode="fixed", tx=[0], rx=[], endpoint=endpoint)
    frames = numbered(7)
    push(rpc, 0, *frames)
    stopped = rpc.call("capture", command="stop", capture_id=capture["capture_id"])
    assert stopped == {"pkt_count": stopped["pkt_count"], "endpoint": endpoint}
    rpc.call("capture", command="remove", capture_id=capture["capture_id"])
    read = rdpcap(str(path))
    assert [bytes(frame) for frame in read] == frames[: limit or 7]
    assert all(abs(float(frame.time) - time.time()) < 60 for frame in read)
    if name == "a.pcap":
        assert records_of_pcap(path.read_bytes()) == frames
    before = path.read_bytes()
    with pytest.raises(RpcFailure, match="does not exist"):
        rpc.call("capture", command="start", limit=1, mode="fixed", tx=[0], rx=[], endpoint=endpoint)
    assert path.read_bytes() == before


def test_a_capture_to_a_socket_streams_a_file(rpc: Rpc) -> None:
    with pair() as (mine, endpoint):
        capture = rpc.call(
            "capture", command="start", limit=0, mode="cyclic", tx=[0], rx=[], endpoint=endpoint + "?pcap"
        )
        frames = numbered(4)
        push(rpc, 0, *frames)
        data = b"".join(mine.recv() for _ in range(5))
        assert records_of_pcap(data) == frames
        rpc.call("capture", command="stop", capture_id=capture["capture_id"])
        rpc.call("capture", command="remove", capture_id=capture["capture_id"])


def test_an_endpoint_whose_peer_never_comes_or_goes_wedges_nothing(rpc: Rpc, tmp_path: Path) -> None:
    started = rpc.call(
        "capture", command="start", limit=0, mode="cyclic", tx=[0], rx=[], endpoint=f"ipc://{tmp_path}/nobody"
    )["capture_id"]
    push(rpc, 0, *numbered(10))
    with pair() as (mine, endpoint):
        other = rpc.call("capture", command="start", limit=0, mode="cyclic", tx=[0], rx=[], endpoint=endpoint)
        push(rpc, 0, *numbered(2))
        mine.recv()
    for _ in range(5):
        push(rpc, 0, *numbered(100))
    began_s = time.monotonic()
    for capture_id in (started, other["capture_id"]):
        rpc.call("capture", command="stop", capture_id=capture_id)
        rpc.call("capture", command="remove", capture_id=capture_id)
    assert time.monotonic() - began_s < 3
    assert rpc.call("capture", command="status") == []


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("udp://1.2.3.4:5", "tcp://HOST:PORT"),
        ("tcp://nowhere", "cannot be used"),
        ("tcp://127.0.0.1:1?text", "pcapng, pcap"),
        ("file:///nowhere/file.pcap", "No such file"),
        ("file:///", "does not exist"),
        ("garbage", "tcp://HOST:PORT"),
        ("ipc://" + "x" * 200, "cannot be used"),
        ("file:///tmp/\0", "cannot be written"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(rpc: Rpc, endpoint: str, says: str) -> None:
    with pytest.raises(RpcFailure, match=says) as refused:
        rpc.call("capture", command="start", limit=1, mode="fixed", tx=[0], rx=[], endpoint=endpoint)
    assert refused.value.code == -32000
    assert rpc.call("capture", command="status") == []


def test_half_a_surrogate_is_no_filter(rpc: Rpc) -> None:
    with pytest.raises(RpcFailure, match="Unicode") as refused:
        rpc.call("capture", command="start", limit=1, mode="fixed", tx=[0], rx=[], filter="\ud800")
    assert refused.value.code == -32602


def test_a_capture_port_needs_service_mode_a_filter_that_is_one_and_no_other(rpc: Rpc) -> None:
    with pair() as (_, endpoint):
        with pytest.raises(RpcFailure, match="service mode"):
            rpc.call("start_capture_port", port_id=0, endpoint=endpoint)
        rpc.call("service", port_id=0, enabled=True)
        with pytest.raises(RpcFailure, match="filter"):
            rpc.call("start_capture_port", port_id=0, endpoint=endpoint, bpf_filter="no filter")
        rpc.call("start_capture_port", port_id=0, endpoint=endpoint)
        with pytest.raises(RpcFailure, match="already"):
            rpc.call("start_capture_port", port_id=0, endpoint=endpoint)
        with pytest.raises(RpcFailure, match="filter"):
            rpc.call("set_capture_port_bpf", port_id=0, bpf_filter="no filter")
        assert rpc.call("get_port_status", port_id=0)["rx_info"]["capture_port"]["is_active"]
        rpc.call("service", port_id=0, enabled=False)
        assert not rpc.call("get_port_status", port_id=0)["rx_info"]["capture_port"]["is_active"]
