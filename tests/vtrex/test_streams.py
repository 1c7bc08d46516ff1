"""Bursts, chains, delays and thousands of streams: exact counts, and the order on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vtrex.serving import Rpc, RpcFailure
from tests.vtrex.test_fields import stream

RAW = {"type": "raw", "value": 1, "op": "abs"}
SLOW = {"type": "pps", "value": 1000.0}
DUMMY = 8
TTL = 22  # offset in the frame; tells the streams apart


def burst(frames: int, rate: dict[str, Any] = SLOW, **changes: Any) -> dict[str, Any]:
    return stream([], mode={"type": "single_burst", "total_pkts": frames, "rate": rate}, **changes)


def multi_burst(frames: int, count: int, gap_us: float, **changes: Any) -> dict[str, Any]:
    return stream(
        [],
        mode={"type": "multi_burst", "pkts_per_burst": frames, "count": count, "ibg": gap_us, "rate": SLOW},
        **changes,
    )


def continuous(rate_pps: float, **changes: Any) -> dict[str, Any]:
    return stream([], mode={"type": "continuous", "rate": {"type": "pps", "value": rate_pps}}, **changes)


def marked(definition: dict[str, Any], mark: int) -> dict[str, Any]:
    """Let the stream's frames carry a number of their own."""
    constant = {"type": "flow_var", "name": "mark", "size": 1, "op": "inc", "step": 1, "next_var": None}
    constant |= {"init_value": mark, "min_value": mark, "max_value": mark}
    write = {"type": "write_flow_var", "name": "mark", "pkt_offset": TTL, "add_value": 0, "is_big_endian": True}
    return definition | {"vm": {"instructions": [constant, write]}}


def add(rpc: Rpc, *definitions: dict[str, Any], profile: str = "_", first: int = 1) -> None:
    for stream_id, definition in enumerate(definitions, first):
        rpc.call("add_stream", port_id=0, profile_id=profile, stream_id=stream_id, stream=definition)


def run(rpc: Rpc, duration: float = -1, **changes: Any) -> dict[str, Any]:
    """Start the streams of port 0 and return the trial's report; what was due was sent and has come."""
    rpc.call("start_traffic", **{"port_id": 0, "profile_id": "_", "mul": RAW, "duration": duration} | changes)
    rpc.wait_idle(0)
    report: dict[str, Any] = rpc.call("pixlab_get_trial_report")
    sender, receiver = report["ports"]
    assert sender["sent_packets"] == sender["intended_packets"] == receiver["rx_packets"]
    return report


def run_marked(rpc: Rpc, expected: list[int], duration: float = -1) -> dict[str, Any]:
    with rpc.capturing(1, len(expected) + 1) as frames:
        report = run(rpc, duration)
    assert [frame[TTL] for frame in frames] == expected
    return report


def test_bursts_keep_their_distance(rpc: Rpc) -> None:
    add(rpc, multi_burst(5, 4, gap_us=10_000.0))
    report = run(rpc)
    assert report["ports"][0]["sent_packets"] == 20
    assert report["duration_ns"] >= (4 * 4 * 1000 + 3 * 10_000) * 1000  # it may take longer, never less


def test_a_chain_goes_round_as_often_as_its_last_stream_may(rpc: Rpc) -> None:
    add(
        rpc,
        marked(burst(3, next_stream_id=2), 1),
        marked(burst(2, next_stream_id=3, self_start=False, isg=2000.0), 2),
        marked(multi_burst(1, 2, 500.0, next_stream_id=1, self_start=False, isg=100.0, action_count=3), 3),
    )
    report = run_marked(rpc, [1, 1, 1, 2, 2, 3, 3] * 3)
    once_us = 2 * 1000 + 2000 + 1000 + 100 + 500
    assert report["duration_ns"] >= 3 * once_us * 1000


def test_a_duration_cuts_a_chain_where_the_schedule_says(rpc: Rpc) -> None:
    add(rpc, burst(1, next_stream_id=2, isg=100.0), burst(1, next_stream_id=1, self_start=False, isg=100.0))
    assert run(rpc, duration=0.2)["ports"][0]["sent_packets"] == 1999  # every 100 us, from the first 100 us on


def test_a_stop_ends_an_endless_chain(rpc: Rpc) -> None:
    add(rpc, multi_burst(3, 0, 200.0, isg=50.0))
    rpc.call("start_traffic", port_id=0, profile_id="_", mul=RAW, duration=-1)
    rpc.call("stop_traffic", port_id=0, profile_id="_")
    sender = rpc.call("pixlab_get_trial_report")["ports"][0]
    assert sender["sent_packets"] == sender["intended_packets"]
    assert rpc.call("get_port_status", port_id=0)["state"] == "STREAMS"


def test_a_dummy_stream_is_a_delay(rpc: Rpc) -> None:
    delay = burst(10, next_stream_id=2, self_start=False, flags=3 | DUMMY)
    definitions = [marked(burst(2, next_stream_id=3), 1), marked(burst(2, self_start=False), 2), delay]
    add(rpc, *definitions)
    report = run_marked(rpc, [1, 1, 2, 2])
    assert report["duration_ns"] >= (1 + 9 + 1) * 1_000_000


def test_disabled_streams_are_left_out_and_may_not_be_followed(rpc: Rpc) -> None:
    add(rpc, marked(burst(2), 1), marked(burst(5, enabled=False), 2))
    run_marked(rpc, [1, 1])
    rpc.call("remove_stream", port_id=0, profile_id="_", stream_id=1)
    add(rpc, burst(2, next_stream_id=2))
    with pytest.raises(RpcFailure, match="followed by stream 2, which is not there or not enabled"):
        run(rpc)


@pytest.mark.parametrize(
    ("definitions", "says"),
    [
        ([burst(1, next_stream_id=1)], "takes 0 us"),
        ([burst(1, next_stream_id=2), burst(1, next_stream_id=1, self_start=False)], "loop of 2 streams"),
        ([multi_burst(1, 0, 0.0)], "burst and the gap behind it"),
        ([burst(1, self_start=False)], "starts by itself"),
    ],
)
def test_what_would_repeat_without_taking_time_or_never_begin_is_refused(
    rpc: Rpc, definitions: list[dict[str, Any]], says: str
) -> None:
    add(rpc, *definitions)
    with pytest.raises(RpcFailure, match=says):
        run(rpc)
    assert rpc.call("get_port_status", port_id=0)["state"] == "STREAMS"


def test_thousands_of_streams_each_send_their_share(rpc: Rpc) -> None:
    streams, each, duration = 4000, 10.0, 0.5
    requests = [
        rpc.request(
            "add_stream",
            {"api_h": rpc.api_h, "handler": rpc.handlers[0], "port_id": 0, "profile_id": "_", "stream_id": number}
            | {"stream": continuous(each, flow_stats={"enabled": number % 8 == 0, "stream_id": number})},
        )
        for number in range(1, streams + 1)
    ]
    for at in range(0, streams, 500):
        assert all("result" in answer for answer in rpc.send(requests[at : at + 500], compressed=True))
    assert run(rpc, duration)["ports"][0]["sent_packets"] == streams * each * duration
    counted = rpc.call("get_pgid_stats", pgids=[])["flow_stats"]
    flows = [flow for name, flow in counted.items() if name != "g"]
    assert len(flows) == streams // 8
    assert {(flow["tp"]["0"], flow["rp"]["1"]) for flow in flows} == {(each * duration, each * duration)}


def test_a_multiplier_counts_what_is_sent_at_the_same_time(rpc: Rpc) -> None:
    add(rpc, burst(100, next_stream_id=2), burst(300, {"type": "pps", "value": 3000.0}, self_start=False))
    found = rpc.call("validate", port_id=0)
    assert found["rate"]["max_pps"] == 3000.0  # one after the other, so not their sum
    assert found["graph"]["expected_duration"] == pytest.approx(99e3 + 299e3 / 3)
    asked = {"type": "pps", "value": 30_000.0, "op": "abs"}
    assert rpc.call("start_traffic", port_id=0, profile_id="_", mul=asked, duration=-1)["multiplier"] == 10.0
    rpc.wait_idle(0)


def test_single_streams_pause_go_on_and_change(rpc: Rpc) -> None:
    flows = [{"enabled": True, "stream_id": number, "rule_type": "stats"} for number in (1, 2)]
    add(rpc, continuous(2000.0, flow_stats=flows[0]), continuous(2000.0, flow_stats=flows[1], start_paused=True))
    rpc.call("start_traffic", port_id=0, profile_id="_", mul=RAW, duration=-1)

    def sent() -> tuple[int, int]:
        counted = rpc.call("get_pgid_stats", pgids=[1, 2])["flow_stats"]
        return counted["1"]["tp"]["0"], counted["2"]["tp"]["0"]

    def until_more(index: int) -> None:
        before = sent()[index]
        for _ in range(10_000):
            if sent()[index] > before:
                return
        raise AssertionError(f"stream {index + 1} does not send")

    until_more(0)
    assert sent()[1] == 0
    rpc.call("resume_streams", port_id=0, profile_id="_", stream_ids=[2])
    until_more(1)
    rpc.call("pause_streams", port_id=0, profile_id="_", stream_ids=[1])
    paused = sent()[0]
    until_more(1)
    assert sent()[0] == paused
    half = {"type": "raw", "value": 0.5, "op": "abs"}
    updated = rpc.call("update_streams", port_id=0, profile_id="_", mul=half, force=False, stream_ids=[2])
    assert updated == {"multiplier": 0.5}
    with pytest.raises(RpcFailure, match="stream 7 is not sent"):
        rpc.call("pause_streams", port_id=0, profile_id="_", stream_ids=[7])
    rpc.call("resume_streams", port_id=0, profile_id="_", stream_ids=[1])
    until_more(0)
    rpc.call("stop_traffic", port_id=0, profile_id="_")


def test_profiles_run_side_by_side(rpc: Rpc) -> None:
    add(rpc, continuous(1000.0), profile="steady")
    add(rpc, burst(50), profile="short")
    add(rpc, burst(10, start_paused=False), profile="never", first=7)

    def states() -> dict[str, str]:
        found: dict[str, str] = rpc.call("get_port_status", port_id=0, profile_id="*")["state_profile"]
        return found

    assert sorted(rpc.call("get_profile_list", port_id=0)) == ["never", "short", "steady"]
    assert set(rpc.call("get_all_streams", port_id=0, profile_id="*")["profiles"]) == {"never", "short", "steady"}
    assert rpc.call("get_stream_list", port_id=0, profile_id="never") == [7]
    for name in ("steady", "short"):
        rpc.call("start_traffic", port_id=0, profile_id=name, mul=RAW, duration=-1)
    with pytest.raises(RpcFailure, match=r"'TX on profile_id\(steady\)"):
        add(rpc, burst(1), profile="steady", first=2)
    for _ in range(1000):
        if states() == {"steady": "TX", "short": "STREAMS", "never": "STREAMS"}:
            break
    else:
        raise AssertionError(f"the burst does not end beside the other profile: {states()}")
    assert rpc.call("get_port_status", port_id=0, profile_id="*")["state"] == "TX"
    rpc.call("start_traffic", port_id=0, profile_id="short", mul=RAW, duration=-1)  # once more, in the same trial
    with pytest.raises(RpcFailure, match="continues mode"):
        rpc.call("pause_traffic", port_id=0, profile_id="short")
    rpc.call("pause_traffic", port_id=0, profile_id="steady")
    rpc.call("resume_traffic", port_id=0, profile_id="*")
    rpc.call("stop_traffic", port_id=0, profile_id="*")
    sender, receiver = rpc.call("pixlab_get_trial_report")["ports"]
    assert sender["sent_packets"] == sender["intended_packets"] == receiver["rx_packets"] > 50
    with pytest.raises(RpcFailure, match="profile \\[other\\] does not exist"):
        rpc.call("start_traffic", port_id=0, profile_id="other", mul=RAW, duration=-1)
    rpc.call("remove_all_streams", port_id=0, profile_id="*")
    assert states() == {"_": "IDLE"}


def test_ports_that_are_told_the_same_moment_begin_together(rpc: Rpc) -> None:
    for port_id in (0, 1):
        rpc.call("add_stream", port_id=port_id, profile_id="_", stream_id=1, stream=continuous(1000.0))
    moment = rpc.call("ping")["ts"] + 0.3
    started = [
        rpc.call("start_traffic", port_id=port_id, profile_id="_", mul=RAW, duration=0.1, start_at_ts=moment)["ts"]
        for port_id in (0, 1)
    ]
    assert started == [moment, moment]
    rpc.wait_idle(0, 1)
    report = rpc.call("pixlab_get_trial_report")
    assert [port["sent_packets"] for port in report["ports"]] == [100, 100]
    assert rpc.call("ping")["ts"] >= moment + 0.099  # the last frame is due that much later
