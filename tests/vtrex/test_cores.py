"""An engine with two polling threads counts as exactly as one with a single one."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.vtrex.serving import PATIENT, Rpc, RpcFailure, Server, connected
from tests.vtrex.test_fields import stream
from tests.vtrex.test_honesty import run as run_until_sent

pytestmark = pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two polling threads need two cores")

EACH_S, DURATION_S = 20_000, 0.4


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server("--wire", "--core", "0,1", *PATIENT)
    yield running
    assert running.stop() == (0, "")


@pytest.fixture
def rpc(server: Server) -> Iterator[Rpc]:
    with connected(server) as rpc:
        rpc.reset(0, 1)
        yield rpc


def add(rpc: Rpc, port: int, pg_id: int, rule: str) -> None:
    flow = {"enabled": True, "stream_id": pg_id, "rule_type": rule}
    mode = {"type": "continuous", "rate": {"type": "pps", "value": EACH_S}}
    definition = stream([], mode=mode, flow_stats=flow)
    rpc.call("add_stream", port_id=port, stream_id=pg_id, stream=definition)


def run(rpc: Rpc, duration_s: float, *ports: int) -> dict[str, Any]:
    """Run traffic; a thread that waits for its core may receive some time after the other has sent."""
    report = run_until_sent(rpc, duration_s, *ports)
    deadline_s = time.monotonic() + 5.0
    while time.monotonic() < deadline_s and sum(p["rx_packets"] - p["sent_packets"] for p in report["ports"]) != 0:
        time.sleep(0.02)
        report = rpc.call("pixlab_get_trial_report")
    return report


def flows(rpc: Rpc) -> dict[str, Any]:
    found: dict[str, Any] = rpc.call("get_pgid_stats", pgids=[])["flow_stats"]
    return found


@pytest.mark.parametrize("captured", [False, True])
def test_both_directions_are_exact_on_two_threads(rpc: Rpc, captured: bool) -> None:
    for port in (0, 1):
        add(rpc, port, 10 + port, "stats")
        add(rpc, port, 20 + port, "latency")
    if captured:
        with rpc.capturing(0, 50) as at_0, rpc.capturing(1, 50) as at_1:
            report = run(rpc, DURATION_S, 0, 1)
        assert (len(at_0), len(at_1)) == (50, 50)
    else:
        report = run(rpc, DURATION_S, 0, 1)
    sent = round(EACH_S * DURATION_S)
    assert [port["sent_packets"] for port in report["ports"]] == [2 * sent] * 2
    assert [port["rx_packets"] for port in report["ports"]] == [2 * sent] * 2
    for pg_id, flow in flows(rpc).items():
        to = str(1 - int(pg_id) % 2)
        assert flow["rp"][to] == sent, pg_id
    for tagged in (20, 21):
        assert rpc.call("pixlab_get_arrivals", pg_id=tagged)["received"] == sent
    assert sorted(core["id"] for core in report["cores"]) == [0, 1]


def test_frames_are_verified_on_two_threads(rpc: Rpc) -> None:
    for port in (0, 1):
        add(rpc, port, 10 + port, "stats")
    frame = base64.b64decode(stream([])["packet"]["binary"])
    macs = {"dst_mac": frame[:6].hex(":"), "src_mac": frame[6:12].hex(":"), "hops": 0}
    rpc.call("pixlab_verify", streams=[{"pg_id": 10 + port, "rx_port": 1 - port, **macs} for port in (0, 1)])
    report = run(rpc, DURATION_S, 0, 1)
    assert [direction["wrong"] for direction in report["verification"]] == [{}, {}]
    assert [flow["rp"][str(11 - int(pg_id))] for pg_id, flow in flows(rpc).items()] == [round(EACH_S * DURATION_S)] * 2


def test_a_port_ends_while_the_other_goes_on_and_the_trial_ends_with_the_last(rpc: Rpc) -> None:
    add(rpc, 0, 10, "stats")
    add(rpc, 1, 11, "stats")
    everything = {"type": "raw", "value": 1, "op": "abs"}
    rpc.call("start_traffic", port_id=0, mul=everything, duration=0.1)
    rpc.call("start_traffic", port_id=1, mul=everything, duration=0.5)
    rpc.wait_idle(0)
    assert rpc.call("pixlab_get_trial_report")["running"]
    rpc.wait_idle(1)
    report = rpc.call("pixlab_get_trial_report")
    assert not report["running"]
    assert report["duration_ns"] >= 0.49e9
    assert [port["sent_packets"] for port in report["ports"]] == [EACH_S // 10, EACH_S // 2]


def test_packets_can_be_pushed_on_each_port(rpc: Rpc) -> None:
    frame = stream([])["packet"]["binary"]
    for port in (0, 1):
        with rpc.capturing(1 - port, 10) as frames:
            assert rpc.call("push_pkts", port_id=port, pkts=[{"binary": frame}] * 3, ipg_usec=10)["sent"] == 3
            with pytest.raises(RpcFailure):
                rpc.call("push_pkts", port_id=2, pkts=[])
        assert len(frames) == 3


@pytest.mark.parametrize("cores", ["0,0", "x", "0,99999", ""])
def test_cores_that_are_not_there_are_refused(start_server: Callable[..., Server], cores: str) -> None:
    with pytest.raises(AssertionError, match="--core"):
        start_server("--wire", "--core", cores)
