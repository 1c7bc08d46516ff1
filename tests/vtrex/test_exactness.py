"""What a device under test does to known frames is reported exactly, slowly and at a million frames a second.

The model (lab/dut/model.py) keeps the truth; frames that never reached it are told by what it received.
"""

from __future__ import annotations

import base64
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram

from lab import paths
from lab.dut.model import ModelForwarder, Truth
from lab.machines import cores
from lab.metrics.reordering import Sequence, reordering_record
from lab.testbed.behaviour import Behaviour, Picks
from tests.vtrex.serving import PATIENT, Rpc, Server, connected, pause
from tests.vtrex.test_fields import stream
from tests.vtrex.test_honesty import RAW, run
from tests.vtrex.test_lifecycle import until

MACS = ("52:54:00:79:00:00", "52:54:00:79:00:01")
PEERS = ("02:00:00:79:00:00", "02:00:00:79:00:01")
RATES = pytest.mark.parametrize(("rate_pps", "frames"), [(10_000, 3_000), (1_000_000, 100_000)], ids=["10k", "1M"])
PG_ID = 7
SETTLE_LIMIT_S = 10.0
CLOCKS = 0.999
"""Two processes calibrate the same TSC apart, and a histogram has three digits."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, ModelForwarder]]:
    folder, plan = tmp_path_factory.mktemp("exact"), cores.plan(1)
    sockets = [paths.runtime_dir() / f"{folder.name}-{number}" for number in range(2)]
    ports = [word for socket in sockets for word in ("--port", f"vhost:{socket}")]
    limits = [*PATIENT]  # whatever else runs here, every frame is sent
    running = Server(*ports, *limits, "--core", str(plan.generator))
    with ModelForwarder(
        sockets,
        MACS,
        PEERS,
        behaviour=Behaviour(),
        core=plan.exclusive[0],
        housekeeping_core=plan.housekeeping,
        queue_size=1024,
        log=folder / "model.log",
    ) as model:
        model.start()
        yield running, model
    assert running.stop() == (0, "")


@pytest.fixture
def model(server: tuple[Server, ModelForwarder]) -> ModelForwarder:
    return server[1]


@pytest.fixture
def rpc(server: tuple[Server, ModelForwarder]) -> Iterator[Rpc]:
    with connected(server[0]) as rpc:
        rpc.reset(0, 1)
        yield rpc


def send(
    rpc: Rpc, model: ModelForwarder, rule: str, rate_pps: int, frames: int, *, verified: bool = False
) -> tuple[Truth, dict[str, Any]]:
    """Send a burst from port 0; returns what the model did and the engine's report, once nothing is under way."""
    mode = {"type": "single_burst", "total_pkts": frames, "rate": {"type": "pps", "value": rate_pps}}
    flow = {"enabled": True, "stream_id": PG_ID, "rule_type": rule}
    rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([], mode=mode, flow_stats=flow))
    if rule == "stats" or verified:
        arrival = {"src_mac": MACS[1], "dst_mac": PEERS[1], "hops": model.behaviour.hops}
        rpc.call("pixlab_verify", streams=[{"pg_id": PG_ID, "rx_port": 1, **arrival}])
    sent = run(rpc, -1, 0)["ports"][0]["sent_packets"]
    assert sent == frames
    report = settled(rpc, model, frames)
    return model.truth()[0], report


def settled(rpc: Rpc, model: ModelForwarder, frames: int) -> dict[str, Any]:
    """Wait until all that the model sends has arrived."""
    deadline = time.monotonic() + SETTLE_LIMIT_S
    while True:
        truth = model.truth()[0]
        report: dict[str, Any] = rpc.call("pixlab_get_trial_report")
        if truth.received == frames and truth.held == 0 and report["ports"][1]["rx_packets"] >= truth.sent:
            return report
        assert time.monotonic() < deadline, f"{truth} is not what arrived: {report['ports'][1]}"
        time.sleep(0.02)


def arrivals(rpc: Rpc, name: str = "seqs", kind: str = "<u4") -> Sequence:
    told = rpc.call("pixlab_get_arrivals", pg_id=PG_ID)
    assert told["recorded"] == told["received"]
    return np.frombuffer(zlib.decompress(base64.b64decode(told[name])), dtype=kind)


def order_of(truth: Truth, places: int) -> list[int]:
    """Say in which order frames arrive that the model lost, moved behind ``places`` others, or sent twice."""
    lost, moved, twice = set(truth.lost_numbers), set(truth.moved_numbers), set(truth.duplicated_numbers)
    out: list[int] = []
    waiting: list[tuple[int, int]] = []
    passed = 0
    for number in range(truth.received):
        if number in lost:
            continue
        if number in moved:
            waiting.append((passed + places, number))
            continue
        out += [number, number] if number in twice else [number]
        passed += 1
        while waiting and waiting[0][0] <= passed:
            out.append(waiting.pop(0)[1])
    assert not waiting
    return out


BEHAVIOURS: dict[str, dict[str, Any]] = {
    "loss": {"lose": {"frames": [0, 17, 18, 2_990], "every": 100}},
    "bursts of loss": {"lose": {"frames": [5, 1_000], "burst_frames": 300}},
    "random loss": {"lose": {"ratio": 0.02}, "seed": 9},
    "copies": {"duplicate": {"frames": [0, 1], "every": 50}},
    "moved": {"move": {"every": 40}, "move_places": 7},
    "moved far": {"move": {"frames": [1, 2, 3, 500]}, "move_places": 600},
    "all at once": {
        "lose": {"every": 97}, "duplicate": {"every": 31, "burst_frames": 3}, "move": {"every": 53}, "move_places": 3,
        "delay_ns": 100_000,
    },
}  # fmt: skip


@RATES
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_every_arrival_of_a_latency_stream_is_known_by_its_number(
    rpc: Rpc, model: ModelForwarder, behaviour: str, rate_pps: int, frames: int
) -> None:
    model.behave(Behaviour(**BEHAVIOURS[behaviour]))
    truth, report = send(rpc, model, "latency", rate_pps, frames)
    assert truth.lost + truth.duplicated + truth.moved > 0
    seen = arrivals(rpc)
    assert seen.tolist() == order_of(truth, model.behaviour.move_places)
    record = reordering_record(seen, sent=frames, tx_port=0, rx_port=1, complete=True, source="vtrex-arrivals")
    assert (record.received, record.lost) == (truth.sent, truth.lost)
    assert (record.duplicates, record.reordered) == (truth.duplicated, truth.moved)
    sequence = rpc.call("pixlab_get_sequence", pg_id=PG_ID)  # found while the frames came, without a record of all
    assert (sequence["numbered"], sequence["lost"]) == (frames, truth.lost)
    assert (sequence["duplicates"], sequence["reordered"]) == (truth.duplicated, truth.moved)
    assert (sequence["too_old"], sequence["never_sent"], sequence["extent"]["unknown"]) == (0, 0, 0)
    assert sequence["extent"]["max"] == record.extent_max
    assert sequence["extent"]["mean"] == pytest.approx(record.extent_mean)
    assert report["ports"][1]["rx_unknown"] == 0


@RATES
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_verified_frames_are_counted_exactly(
    rpc: Rpc, model: ModelForwarder, behaviour: str, rate_pps: int, frames: int
) -> None:
    model.behave(Behaviour(**BEHAVIOURS[behaviour]))
    truth, report = send(rpc, model, "stats", rate_pps, frames)
    (direction,) = report["verification"]
    assert direction["good"] == truth.received - truth.lost
    assert {kind: wrong["frames"] for kind, wrong in direction["wrong"].items()} == (
        {"duplicate": truth.duplicated} if truth.duplicated else {}
    )
    assert direction["reordered"] == truth.moved
    flow = rpc.call("get_pgid_stats", pgids=[PG_ID])["flow_stats"][str(PG_ID)]
    assert (flow["tp"]["0"], flow["rp"]["1"]) == (frames, direction["good"])


def runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Return (first number, length) of each run of successive numbers."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and sum(found[-1]) == number:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((number, 1))
    return found


def losses(rpc: Rpc) -> dict[str, Any]:
    (found,) = rpc.call("pixlab_get_losses")["streams"]
    assert (found["pg_id"], found["tx_port"], found["rx_port"], found["times_exact"]) == (PG_ID, 0, 1, True)
    return dict(found)


@pytest.mark.parametrize(
    ("behaviour", "rate_pps", "frames"),
    [*((name, 10_000, 3_000) for name in ("jitter", "all at once", "moved", "loss")), ("jitter", 1_000_000, 50_000)],
)
def test_delay_variation_is_that_of_the_recorded_delays(
    rpc: Rpc, model: ModelForwarder, behaviour: str, rate_pps: int, frames: int
) -> None:
    jitter = {"delay_ns": 300_000, "jitter_ns": 200_000, "lose": {"every": 500}}
    model.behave(Behaviour(**(jitter if behaviour == "jitter" else BEHAVIOURS[behaviour])))
    send(rpc, model, "latency", rate_pps, frames)
    delays = arrivals(rpc, "delays_ns").tolist()
    of_newest, newest = 0, -1  # RFC 3393 section 4.5: frames in a row; neither of them out of order
    changes: list[int] = []
    for number, delay in zip(arrivals(rpc).tolist(), delays, strict=True):
        if number == newest + 1 and newest >= 0:
            changes.append(delay - of_newest)
        if number > newest:
            of_newest, newest = delay, number
    latency = rpc.call("pixlab_get_latency", pg_id=PG_ID)
    found = latency["variation"]
    assert (min(delays), max(delays)) == (latency["min_ns"], latency["max_ns"])
    assert (found["count"], found["min_ns"], found["max_ns"]) == (len(changes), min(changes), max(changes))
    assert found["mean_abs_ns"] == pytest.approx(float(np.mean(np.abs(changes))))
    expected = HdrHistogram(1, 10_000_000_000, 3)
    for change in changes:
        expected.record_value(abs(change))
    assert HdrHistogram.decode(found["hdr"]).get_total_count() == expected.get_total_count() == len(changes)
    decoded = {item.value_iterated_to: item.count_at_value_iterated_to
               for item in HdrHistogram.decode(found["hdr"]).get_recorded_iterator()}  # fmt: skip
    assert decoded == {item.value_iterated_to: item.count_at_value_iterated_to
                       for item in expected.get_recorded_iterator()}  # fmt: skip


def test_times_of_arrival_are_those_of_departure_and_the_delay(rpc: Rpc, model: ModelForwarder) -> None:
    rate_pps, frames, moved_ns = 10_000, 3_000, 20_000_000
    model.behave(Behaviour(move=Picks(frames=(1_000,)), move_ns=moved_ns))
    send(rpc, model, "latency", rate_pps, frames)
    numbers = arrivals(rpc)
    times, delays = arrivals(rpc, "times_ns", "<u8").astype(np.int64), arrivals(rpc, "delays_ns").astype(np.int64)
    assert (np.diff(times) >= 0).all()
    left = (times - delays)[np.argsort(numbers)]
    assert (np.diff(left) >= -2).all()  # both are cut to whole nanoseconds
    late = int(np.flatnonzero(numbers == 1_000)[0])
    earliest_later = int(np.flatnonzero(numbers > 1_000)[0])
    # RFC 4737, 4.3: the late time offset
    assert 0 < times[late] - times[earliest_later] <= delays[late]
    assert delays[late] >= moved_ns * CLOCKS
    assert left[0] >= 0


KINDS = pytest.mark.parametrize(
    ("rule", "rate_pps", "frames"), [("latency", 10_000, 3_000), ("stats", 1_000_000, 100_000)]
)
LOSING = {name: values for name, values in BEHAVIOURS.items() if "lose" in values or "move" in values} | {
    "the last ones": {"lose": {"frames": [2_900, 99_950], "burst_frames": 100}}
}


@KINDS
@pytest.mark.parametrize("behaviour", LOSING)
def test_lost_frames_are_known_by_number_and_by_the_time_at_which_they_were_due(
    rpc: Rpc, model: ModelForwarder, behaviour: str, rule: str, rate_pps: int, frames: int
) -> None:
    model.behave(Behaviour(**LOSING[behaviour]))
    truth, _ = send(rpc, model, rule, rate_pps, frames, verified=True)
    found, missing = losses(rpc), list(truth.lost_numbers)
    assert (found["numbered"], found["lost"]) == (frames, len(missing)) == (frames, truth.lost)
    assert found["frame_time_ns"] == pytest.approx(1e9 / rate_pps)
    if not missing:
        assert found["first"] is found["last"] is found["longest"] is None
        return
    at, length = max(runs(missing), key=lambda run: run[1])
    numbers = {"first": missing[0], "last": missing[-1], "longest": at}
    assert {name: found[name]["number"] for name in numbers} == numbers
    assert found["longest"]["frames"] == length
    for name, number in numbers.items():
        assert found[name]["at_ns"] == pytest.approx(number * 1e9 / rate_pps, rel=1e-9, abs=2)


def start_burst(rpc: Rpc, model: ModelForwarder, rate_pps: int, frames: int, rule: str = "latency") -> None:
    """Begin to send a verified burst from port 0."""
    mode = {"type": "single_burst", "total_pkts": frames, "rate": {"type": "pps", "value": rate_pps}}
    flow = {"enabled": True, "stream_id": PG_ID, "rule_type": rule}
    rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([], mode=mode, flow_stats=flow))
    arrival = {"src_mac": MACS[1], "dst_mac": PEERS[1], "hops": model.behaviour.hops}
    rpc.call("pixlab_verify", streams=[{"pg_id": PG_ID, "rx_port": 1, **arrival}])
    rpc.call("start_traffic", port_id=0, mul=RAW, duration=-1)


@pytest.mark.parametrize(
    ("rule", "rate_pps", "dead_ms"),
    [("latency", 10_000, 100.0), ("latency", 10_000, 60_000.0), ("stats", 20_000, 200.0)],
)
def test_a_device_that_dies_loses_a_run_of_frames_and_one_that_stays_dead_all_that_are_left(
    rpc: Rpc, model: ModelForwarder, rule: str, rate_pps: int, dead_ms: float
) -> None:
    frames = 2 * rate_pps
    model.behave(Behaviour())
    start_burst(rpc, model, rate_pps, frames, rule)
    assert until(lambda: model.truth()[0].received > 100)
    model.die(dead_ms)
    rpc.wait_idle(0)
    settled(rpc, model, frames)
    truth, found = model.truth()[0], losses(rpc)
    first, last = truth.lost_numbers[0], truth.lost_numbers[-1]
    assert found["lost"] == found["longest"]["frames"] == truth.lost_dead == last - first + 1
    assert (found["first"]["number"], found["longest"]["number"], found["last"]["number"]) == (first, first, last)
    assert found["last"]["at_ns"] - found["first"]["at_ns"] == pytest.approx((last - first) * 1e9 / rate_pps, abs=2)
    assert (last == frames - 1) or dead_ms < 60_000


def test_frames_that_the_far_side_refuses_are_lost_by_their_numbers(rpc: Rpc, model: ModelForwarder) -> None:
    rate_pps, frames = 100_000, 200_000
    model.behave(Behaviour())
    model.stop()  # nobody reads the ring; a second later it counts as full
    start_burst(rpc, model, rate_pps, frames)
    rpc.wait_idle(0)
    model.start()
    port = rpc.call("pixlab_get_trial_report")["ports"][0]
    report = settled(rpc, model, port["sent_packets"])
    found = losses(rpc)
    assert (found["numbered"], found["lost"]) == (frames, port["queue_full"])
    assert found["lost"] == frames - report["ports"][1]["rx_packets"] > 0
    assert found["last"]["number"] == frames - 1
    assert found["last"]["at_ns"] == pytest.approx((frames - 1) * 1e9 / rate_pps)
    sequence = rpc.call("pixlab_get_sequence", pg_id=PG_ID)
    assert (sequence["numbered"], sequence["lost"]) == (frames, found["lost"])


def test_frames_that_were_too_late_to_be_sent_are_not_lost_and_shift_the_times_of_the_others(
    server: tuple[Server, ModelForwarder], rpc: Rpc, model: ModelForwarder
) -> None:
    rate_pps, frames, lost = 10_000, 16_000, 12_000
    model.behave(Behaviour(lose=Picks(frames=(lost,))))
    start_burst(rpc, model, rate_pps, frames)
    pause(server[0].engine_pid(), 1.2)  # a second is what PATIENT allows
    rpc.wait_idle(0)
    port = rpc.call("pixlab_get_trial_report")["ports"][0]
    settled(rpc, model, port["sent_packets"])
    found = losses(rpc)
    assert 0 < port["too_late"] < frames - lost
    assert (found["numbered"], found["lost"], found["first"]["number"]) == (frames - port["too_late"], 1, lost)
    assert found["first"]["at_ns"] == pytest.approx((lost + port["too_late"]) * 1e9 / rate_pps)


@RATES
def test_frames_that_a_full_queue_drops_are_lost_and_no_others(
    rpc: Rpc, model: ModelForwarder, rate_pps: int, frames: int
) -> None:
    model.behave(Behaviour(capacity_pps=rate_pps / 4, queue_frames=100))
    truth, _ = send(rpc, model, "latency", rate_pps, frames)
    assert truth.lost == truth.lost_capacity > 0
    missing = np.setdiff1d(np.arange(frames, dtype=np.uint32), arrivals(rpc))
    assert len(missing) == truth.lost_capacity
    assert missing[: len(truth.lost_numbers)].tolist() == list(truth.lost_numbers)


@pytest.fixture
def histogram_with(rpc: Rpc, model: ModelForwarder) -> Callable[..., HdrHistogram]:
    def histogram(rate_pps: int, frames: int, **values: Any) -> HdrHistogram:
        rpc.reset(0, 1)
        model.behave(Behaviour(**values))
        send(rpc, model, "latency", rate_pps, frames)
        latency = rpc.call("pixlab_get_latency", pg_id=PG_ID)
        decoded = HdrHistogram.decode(latency["hdr"])
        assert latency["count"] == decoded.get_total_count() == frames
        assert decoded.values_are_equivalent(decoded.get_min_value(), latency["min_ns"])
        return decoded

    return histogram


@RATES
@pytest.mark.parametrize("delay_ns", [200_000, 5_000_000])
def test_no_frame_is_faster_than_the_delay(
    histogram_with: Callable[..., HdrHistogram], delay_ns: int, rate_pps: int, frames: int
) -> None:
    without = histogram_with(rate_pps, frames)
    delayed = histogram_with(rate_pps, frames, delay_ns=delay_ns)
    assert delayed.get_min_value() >= delay_ns * CLOCKS
    assert delayed.get_min_value() > without.get_min_value()


def test_of_frames_that_are_moved_by_time_each_takes_that_much_longer(
    histogram_with: Callable[..., HdrHistogram], rpc: Rpc, model: ModelForwarder
) -> None:
    frames, late_ns = 2_000, 500_000_000
    delayed = histogram_with(10_000, frames, move={"every": 10}, move_ns=late_ns)
    late = sum(item.count_at_value_iterated_to for item in delayed.get_recorded_iterator()
               if item.value_iterated_to >= late_ns * CLOCKS)  # fmt: skip
    assert late >= model.truth()[0].moved == frames // 10
    late_numbers = set(model.truth()[0].moved_numbers)
    in_place = [number for number in arrivals(rpc).tolist() if number not in late_numbers]
    assert in_place == sorted(in_place)
