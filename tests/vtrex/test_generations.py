"""Clients of API 4 and of API 5 use one server, one after the other and at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import zmq

from tests.vtrex.serving import Server, connected, run_client
from tests.vtrex.test_recorded_v287 import parse, subscribed

RUN = """
client.reset(ports=[PORT])
client.add_streams([
    STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXCont(pps=10000), flow_stats=STLFlowStats(pg_id=10 + PORT)),
    STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXCont(pps=1000),
              flow_stats=STLFlowLatencyStats(pg_id=20 + PORT)),
], ports=[PORT])
client.clear_stats()
client.start(ports=[PORT], duration=0.5)
client.wait_on_traffic(ports=[PORT])
stats = client.get_stats()
answer({
    "sent": stats[PORT]["opackets"],
    "received": [stats["flow_stats"][pg]["rx_pkts"]["total"] for pg in (10 + PORT, 20 + PORT)],
    "latency": sum(stats["latency"][20 + PORT]["latency"]["histogram"].values()),
    "events": [str(event) for event in client.get_events()],
    "connected": client.is_connected(),
})
"""


def check(seen: dict[str, Any]) -> None:
    assert seen["sent"] == 5500
    assert seen["received"] == [5000, 500]
    assert seen["latency"] == 500
    assert seen["connected"]
    assert any("job done" in event for event in seen["events"]), seen["events"]


@pytest.mark.parametrize("generation", [4, 5])
def test_a_client_of_either_generation_counts_exactly(wire_server: Server, generation: int) -> None:
    check(run_client(wire_server, RUN.replace("PORT", "0"), generation=generation))


def test_clients_of_both_generations_at_the_same_time(wire_server: Server) -> None:
    with ThreadPoolExecutor() as pool:
        started = [
            pool.submit(run_client, wire_server, RUN.replace("PORT", str(port)), generation=generation)
            for port, generation in ((0, 4), (1, 5))
        ]
        for result in started:
            check(result.result())


def test_bursts_pause_captures_and_addresses_of_api_4(wire_server: Server) -> None:
    seen = run_client(
        wire_server,
        """
        import base64
        client.reset(ports=[0, 1])
        packet = STLPktBuilder(pkt=udp(64))
        client.add_streams([STLStream(packet=packet, mode=STLTXSingleBurst(pps=20000, total_pkts=777))], ports=[0])
        client.clear_stats()
        client.start(ports=[0])
        client.wait_on_traffic(ports=[0])
        burst = client.get_stats()[0]["opackets"]
        client.reset(ports=[0, 1])
        client.add_streams([STLStream(packet=packet, mode=STLTXCont(pps=1000))], ports=[0])
        client.start(ports=[0])
        client.update(ports=[0], mult="5kpps")
        client.pause(ports=[0])
        paused = client.get_port_info([0])[0]["status"]
        client.resume(ports=[0])
        client.stop(ports=[0])
        client.set_service_mode(ports=[0, 1])
        rpc("set_l3", port_id=1, src_addr="192.0.2.1", dst_addr="192.0.2.0")
        client.set_l3_mode(port=0, src_ipv4="192.0.2.0", dst_ipv4="192.0.2.1")
        layers = rpc("get_port_status", port_id=0)["attr"]["layer_cfg"]
        capture = client.start_capture(rx_ports=[1], limit=10, bpf_filter="udp")
        client.push_packets([bytes(udp(64))], ports=[0])
        time.sleep(0.2)
        frames = []
        client.stop_capture(capture["id"], output=frames)
        for port in (0, 1):
            client.set_l2_mode(port=port, dst_mac="02:00:00:00:00:01")
        client.set_service_mode(ports=[0, 1], enabled=False)
        answer([burst, paused, layers["ipv4"]["state"], [frame["port"] for frame in frames]])
        """,
        generation=4,
    )
    assert seen == [777, "PAUSE", "resolved", [1]]


def test_a_silent_client_of_api_4_keeps_its_connection_while_traffic_runs(wire_server: Server) -> None:
    script = """
        client.reset(ports=[0])
        client.add_streams([STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXCont(pps=1000))], ports=[0])
        client.start(ports=[0])
        time.sleep(3.5)  # the client gives a connection up after 3 s without a message
        alive = client.is_connected()
        client.stop(ports=[0])
        answer([alive, [str(event) for event in client.get_events() if "lost" in str(event)]])
        """
    assert run_client(wire_server, script, generation=4) == [True, []]


def test_whoever_names_no_api_gets_no_doorbell_and_the_lab_is_not_disturbed_by_json(wire_server: Server) -> None:
    with connected(wire_server) as rpc, subscribed(wire_server) as of_api_5:  # rpc has just named API 5
        of_api_5.setsockopt(zmq.RCVTIMEO, 100)
        seen: list[bytes] = []
        for _ in range(30):
            rpc.call("publish_now", key=1)
            try:
                seen.append(of_api_5.recv())
            except zmq.Again:
                continue
            break
        assert seen == [b"{}"]
        with subscribed(wire_server) as unknown:
            names = {parse(unknown.recv())["name"] for _ in range(3)}
            rpc.acquire(0)
            rpc.call("release", port_id=0)
            while "trex-event" not in names:
                names.add(parse(unknown.recv())["name"])
            assert names == {"trex-global", "trex-event"}
        of_api_5.setsockopt(zmq.RCVTIMEO, 600)
        try:
            while True:
                assert of_api_5.recv() == b"{}"
        except zmq.Again:
            pass


@pytest.mark.parametrize(
    ("method", "params", "says"),
    [
        ("api_sync", {"api_vers": [{"type": "core", "major": 3, "minor": 9}]}, "newer client version is required"),
        ("api_sync", {"api_vers": [{"type": "core", "major": 4, "minor": 9}]}, "too new"),
        ("api_sync_v2", {"name": "STL", "major": 5, "minor": 2}, "too new"),
        ("api_sync_v2", {"name": "STL", "major": 6, "minor": 0}, "too new"),
        ("api_sync_v2", {"name": "ASTF", "major": 2, "minor": 0}, "configuration mismatch"),
    ],
)
def test_other_versions_are_refused(wire_server: Server, method: str, params: dict[str, Any], says: str) -> None:
    with connected(wire_server) as rpc:
        error = rpc.send(rpc.request(method, params))["error"]
    assert error["code"] == -32000
    assert says in error["specific_err"]


def test_a_client_of_api_5_that_gets_no_doorbell_still_hears_of_everything(wire_server: Server) -> None:
    with connected(wire_server) as rpc, subscribed(wire_server) as other:
        # A client of API 4 is about to subscribe: until it has, a subscriber may be either.
        rpc.call("api_sync", api_vers=[{"type": "core", "major": 4, "minor": 1}])
        rpc.call("api_sync", api_vers=[{"type": "core", "major": 4, "minor": 1}])
        check(run_client(wire_server, RUN.replace("PORT", "0")))
        assert parse(other.recv())["name"]
