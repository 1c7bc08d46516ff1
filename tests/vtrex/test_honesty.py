"""The generator reports what it did, what it did not, and what disturbed it."""

from __future__ import annotations

import base64
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram

from lab.vtrex.judgement import clock_warnings, reasons
from lab.vtrex.messages import Percentiles, TrialCore, TrialCounters, TrialPort
from tests.vtrex.serving import Rpc, RpcFailure, Server, connected, pause
from tests.vtrex.test_fields import stream

RAW = {"type": "raw", "value": 1, "op": "abs"}


def continuous(rate_pps: float, pg_id: int | None = None, rule: str = "stats") -> dict[str, Any]:
    flow = {"enabled": pg_id is not None, "stream_id": pg_id, "rule_type": rule}
    return stream([], mode={"type": "continuous", "rate": {"type": "pps", "value": rate_pps}}, flow_stats=flow)


def run(rpc: Rpc, duration: float, *ports: int, force: bool = False) -> dict[str, Any]:
    for port_id in ports:
        rpc.call("start_traffic", port_id=port_id, mul=RAW, duration=duration, force=force)
    rpc.wait_idle(*ports)
    report: dict[str, Any] = rpc.call("pixlab_get_trial_report")
    return report


@pytest.mark.parametrize("rate_pps", [3.0, 999.5, 123_456.7])
def test_a_duration_ends_with_exactly_the_frames_of_the_rate(rpc: Rpc, rate_pps: float) -> None:
    rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(rate_pps))
    port = run(rpc, 0.5, 0)["ports"][0]
    assert port["intended_packets"] == pytest.approx(rate_pps * 0.5, abs=0.501)
    assert port["sent_packets"] + port["queue_full"] + port["too_late"] == port["intended_packets"]
    assert port["too_late"] > 0 or port["sent_packets"] == port["intended_packets"]


def test_more_than_the_engine_can_send_is_reported_as_missing(rpc: Rpc) -> None:
    rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(2e9, pg_id=4))
    report = run(rpc, 0.1, 0, force=True)
    port = report["ports"][0]
    assert port["intended_packets"] == 200_000_000
    assert 0 < port["sent_packets"] < port["intended_packets"]
    assert port["sent_packets"] + port["queue_full"] + port["too_late"] == port["intended_packets"]
    flow = rpc.call("get_pgid_stats", pgids=[4])["flow_stats"]["4"]
    assert flow["tp"]["0"] == flow["rp"]["1"] == port["sent_packets"] == report["ports"][1]["rx_packets"]


@pytest.mark.parametrize(("rate_pps", "duration"), [(1e-9, 1.0), (1e12, 1.0), (1000.0, 1e20)])
def test_schedules_beyond_the_engines_integers_are_refused(rpc: Rpc, rate_pps: float, duration: float) -> None:
    rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(rate_pps))
    with pytest.raises(RpcFailure, match="are possible"):
        rpc.call("start_traffic", port_id=0, mul=RAW, duration=duration, force=True)
    assert rpc.call("get_port_status", port_id=0)["state"] == "STREAMS"


def test_latency_and_order_are_recorded_frame_by_frame(rpc: Rpc) -> None:
    rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(20_000, pg_id=8, rule="latency"))
    for _ in range(2):  # each start begins anew
        run(rpc, 0.2, 0)
        latency = rpc.call("pixlab_get_latency", pg_id=8)
        histogram = HdrHistogram.decode(latency["hdr"])
        assert latency["count"] == histogram.get_total_count() == 4000
        assert 0 < latency["min_ns"] <= latency["mean_ns"] <= latency["max_ns"]
        assert histogram.get_min_value() <= latency["min_ns"]
        assert histogram.values_are_equivalent(histogram.get_max_value(), latency["max_ns"])
        arrivals = rpc.call("pixlab_get_arrivals", pg_id=8, offset=3990, limit=100)
        assert (arrivals["received"], arrivals["recorded"], arrivals["sent"]) == (4000, 4000, 4000)
        assert struct.unpack("<10I", zlib.decompress(base64.b64decode(arrivals["seqs"]))) == tuple(range(3990, 4000))
    counted = rpc.call("get_pgid_stats", pgids=[8])
    assert sum(counted["latency"]["8"]["lat"]["histogram"].values()) == 8000  # TRex's counts go on


def test_frames_of_nobody_are_unknown_and_do_not_hide_in_a_flow(rpc: Rpc) -> None:
    rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(1000, pg_id=5))
    rpc.call("add_stream", port_id=0, stream_id=2, stream=continuous(500))
    report = run(rpc, 0.2, 0)
    assert report["ports"][1]["rx_packets"] == 300
    assert report["ports"][1]["rx_unknown"] == 100
    with pytest.raises(RpcFailure, match="pg_id 5 is no latency stream"):
        rpc.call("pixlab_get_latency", pg_id=5)


def test_two_ports_started_together_are_one_trial_and_the_next_start_is_another(rpc: Rpc) -> None:
    for port_id in (0, 1):
        rpc.call("add_stream", port_id=port_id, stream_id=1, stream=continuous(1000))
    first = run(rpc, 0.2, 0, 1)
    second = run(rpc, 0.2, 0)
    assert [port["sent_packets"] for port in first["ports"]] == [200, 200]
    assert [port["sent_packets"] for port in second["ports"]] == [200, 0]
    assert second["trial"] == first["trial"] + 1
    assert first["duration_ns"] > 0.19e9


def test_a_paused_engine_shows_as_a_gap(start_server: Callable[..., Server]) -> None:
    server = start_server("--wire")
    engine = server.engine_pid()
    with connected(server) as rpc:
        rpc.reset(0)
        rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(10_000))
        rpc.call("start_traffic", port_id=0, mul=RAW, duration=-1)
        while rpc.call("get_port_stats", port_id=0)["opackets"] < 1000:
            time.sleep(0.01)
        pause(engine, 0.02)
        time.sleep(0.1)
        rpc.call("stop_traffic", port_id=0)
        report = rpc.call("pixlab_get_trial_report")
    assert report["gaps"]["max_ns"] >= 20e6
    assert report["gaps"]["over_1ms"] >= 1
    assert sum("paused for" in reason for reason in report["invalid"]) == 1
    (core,) = report["cores"]
    assert core["gap_max_at_ns"] > 0
    port = report["ports"][0]
    assert port["lateness_ns"]["max"] >= 9.9e6  # frames later than 10 ms are not sent
    assert port["too_late"] > 0
    assert port["sent_packets"] + port["too_late"] == port["intended_packets"]
    assert server.stop() == (0, "")


def test_each_port_tells_how_late_and_how_evenly_its_frames_left(rpc: Rpc) -> None:
    """Frames that leave in one burst are a period too early each: at full speed that is what the jitter shows."""
    for port_id, rate_pps in ((0, 1_000), (1, 1e9)):
        rpc.call("add_stream", port_id=port_id, stream_id=1, stream=continuous(rate_pps))
    even, bursts = run(rpc, 0.1, 0, 1, force=True)["ports"]
    for port in (even, bursts):
        for spread in (port["lateness_ns"], port["jitter_ns"]):
            assert 0 <= spread["p50"] <= spread["p99"] <= spread["p99_9"] <= spread["max"]
        assert port["lateness_ns"]["max"] > 0
    assert bursts["jitter_ns"]["p50"] == pytest.approx(1, abs=1)  # ns, the period
    assert bursts["lateness_ns"]["p50"] > 1_000_000  # a billion frames a second: it falls behind at once
    assert even["jitter_ns"]["max"] <= even["lateness_ns"]["max"] + 1  # single frames: the lateness changes by no more


def test_a_clock_that_may_not_be_steady_is_one_warning() -> None:
    assert clock_warnings("processor: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc sse\n") == []
    (warning,) = clock_warnings("processor: 0\nflags\t\t: fpu tsc constant_tsc sse\n")
    assert "nonstop_tsc missing" in warning
    assert "constant_tsc" not in warning


PORT = TrialPort(0, 1, 1000, 1000, 0, 0, 0, 0, Percentiles(0, 0, 0, 0), Percentiles(0, 0, 0, 0))
CORE = TrialCore(3, 0, 900_000, 900_000, 0)


@pytest.mark.parametrize(
    ("port", "core", "running", "reason"),
    [
        pytest.param(PORT, CORE, 0, None, id="counts"),
        pytest.param(PORT, CORE._replace(gap_max_ns=1_000_001), 0, "core 3 paused for 1.00 ms", id="pause"),
        pytest.param(PORT._replace(sent_packets=998, late=2), CORE, 0, "2 of 1000 frames were too late", id="late"),
        pytest.param(PORT._replace(sent_packets=999, late=1), CORE, 0, None, id="hardly-late"),
        pytest.param(PORT._replace(sent_packets=999), CORE, 0, "1000 frames were intended, but 999", id="unbalanced"),
        pytest.param(PORT._replace(sent_packets=999), CORE, 1, None, id="still-running"),
        pytest.param(PORT._replace(sent_packets=999, took_part=0), CORE, 0, None, id="not-of-this-trial"),
    ],
)
def test_what_makes_a_trial_invalid(port: TrialPort, core: TrialCore, running: int, reason: str | None) -> None:
    counters = TrialCounters(1, running, 10**9, 0, 0, 0, 0, 0, 0)
    found = reasons(counters, [port], [core], gap_limit_us=1000.0)
    assert len(found) == (reason is not None)
    assert reason is None or reason in found[0]


def test_the_extra_methods_are_not_listed(rpc: Rpc) -> None:
    listed = rpc.call("get_supported_cmds")
    assert "get_profile_list" in listed
    assert not [name for name in listed if name.startswith("pixlab")]


def test_ownership_is_checked_and_handed_over_by_force(wire_server: Server) -> None:
    with connected(wire_server) as mine, connected(wire_server) as theirs:
        mine.reset(0)
        with pytest.raises(RpcFailure, match="already taken by 'test'"):
            theirs.call("acquire", port_id=0, user="other", session_id=2, force=False)
        assert theirs.call("get_owner", port_id=0) == {"owner": "test"}
        theirs.acquire(0)
        with pytest.raises(RpcFailure, match="not owned by you"):
            mine.call("remove_all_streams", port_id=0)
        theirs.call("release", port_id=0)
        assert theirs.call("get_port_status", port_id=0)["owner"] == ""


@pytest.mark.parametrize(
    ("params", "code"),
    [({}, -32602), ({"port_id": "0"}, -32602), ({"port_id": 9}, -32000), ({"port_id": True}, -32602)],
)
def test_wrong_parameters_are_refused(rpc: Rpc, params: dict[str, Any], code: int) -> None:
    with pytest.raises(RpcFailure) as failure:
        rpc.call("get_port_stats", **params)
    assert failure.value.code == code


def test_calls_without_the_handle_are_refused(rpc: Rpc) -> None:
    for handle, code in ((None, -32602), ("wrong", -32000)):
        reply = rpc.send(rpc.request("get_port_stats", {"port_id": 0, "api_h": handle}))
        assert reply["error"]["code"] == code
    assert "ts" in rpc.send(rpc.request("ping", {}))["result"]
