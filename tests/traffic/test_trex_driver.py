"""The TRex driver, by the official client in its process, against a real server (vtrex, its ports joined by a wire)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from lab import paths
from lab.errors import GeneratorError
from lab.methods.trial import TrialRequest
from lab.traffic import calibration
from lab.traffic.arrivals import arrivals
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.models import SentFrame
from lab.traffic.streams import streams_for
from lab.traffic.trex import TrexGenerator, client_for, server_version
from lab.traffic.vtrex import VtrexServer
from tests.traffic.test_load import BOTH
from tests.vtrex.serving import connected

pytestmark = pytest.mark.skipif(
    not (paths.NATIVE / "vtrex-engine").exists(), reason="vtrex-engine is not built: run 'make native'"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VtrexServer]:
    log = tmp_path_factory.mktemp("vtrex") / "vtrex.log"
    # Late frames are sent whatever else runs on this machine, so that there are enough to look at.
    with VtrexServer(
        ["--wire", "--late-us", "1000000"], core=0, housekeeping_core=0, line_rate_gbps=10.0, log=log
    ) as running:
        yield running


@pytest.fixture(scope="module")
def generator(server: VtrexServer) -> Iterator[TrexGenerator]:
    connected = server.connect()
    yield connected
    connected.close()


def test_the_server_says_who_it_is(server: VtrexServer, generator: TrexGenerator) -> None:
    info = generator.info()
    assert info.version == server_version(server.host, server.rpc_port)
    assert (info.ports, info.speed_gbps, info.watches_itself) == (2, 10.0, True)


def test_every_frame_of_a_run_is_counted(generator: TrexGenerator) -> None:
    request = TrialRequest(frame_size_bytes=128, rate_pps=20_000.0, duration_s=0.5, tagged=True, tagged_rate_pps=2_000)
    streams = streams_for(request, BOTH)
    result = generator.run(streams, request.duration_s)
    assert result.settled
    for stream, count in zip(streams, result.streams, strict=True):
        # A disturbed engine sends fewer than it was told, and says so; never more, and none gets lost on a wire.
        assert 0 < count.sent_frames <= round(stream.rate_pps * request.duration_s)
        assert count.received_frames == count.sent_frames
    tagged_frames = [count.sent_frames for count in result.streams if count.pg_id % 2 == 0]
    assert [record.arrivals_received for record in result.tagged] == tagged_frames
    for record in result.tagged:
        log = arrivals(record)
        assert log is not None and log.complete
        assert log.numbers.tolist() == list(range(record.count))
        assert (log.delays_ns.min(), log.delays_ns.max()) == (record.min_ns, record.max_ns)
        assert log.times_ns.size == record.count
        assert record.variation is not None and record.variation.count == record.count - 1
    for stream, count, losses in zip(streams, result.streams, result.losses, strict=True):
        assert (losses.pg_id, losses.tx_port, losses.rx_port) == (stream.pg_id, stream.tx_port, stream.rx_port)
        assert (losses.numbered_frames, losses.lost_frames, losses.first_lost_at_s) == (count.sent_frames, 0, None)
        assert losses.frame_time_s == pytest.approx(1 / stream.rate_pps)


def test_a_trial_over_a_wire_loses_and_reorders_nothing(generator: TrexGenerator) -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=10_000.0, duration_s=0.5)
    trial = GeneratorMeasurer(generator, BOTH).measure(request)
    assert trial.lost_frames == 0
    assert len(trial.reordering) == 2
    assert all(r.reordered == 0 and r.complete and r.received > 0 for r in trial.reordering)
    assert all(0 < record.min_ns <= record.mean_ns <= record.max_ns for record in trial.latency)


def test_the_same_session_runs_one_trial_after_the_other(generator: TrexGenerator) -> None:
    measurer = GeneratorMeasurer(generator, BOTH)
    for rate_pps in (2_000.0, 8_000.0, 4_000.0):
        trial = measurer.measure(TrialRequest(frame_size_bytes=256, rate_pps=rate_pps, duration_s=0.2, tagged=False))
        assert sum(d.intended_frames for d in trial.directions) == round(rate_pps * 0.2)
        assert trial.lost_frames == 0


@pytest.mark.parametrize("networks", [("16.0.0.0/4",), ("198.51.100.0/30", "203.0.113.8/32")])
def test_random_destinations_leave_in_their_networks_the_same_in_every_run(
    server: VtrexServer, generator: TrexGenerator, networks: tuple[str, ...]
) -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=2_000.0, duration_s=0.1, tagged=False)
    direction = BOTH[0].model_copy(update={"destinations": networks})
    runs = []
    with connected(server) as rpc:
        for _ in range(2):
            with rpc.capturing(1, limit=200) as frames:
                GeneratorMeasurer(generator, (direction,)).measure(request)
            runs.append([ipaddress.IPv4Address(Ether(frame)[IP].dst) for frame in frames])
    count = min(map(len, runs))  # a disturbed engine sends fewer frames, but leaves none of the values out
    assert count > 20
    assert runs[0][:count] == runs[1][:count]
    inside = [[address in ipaddress.IPv4Network(network) for address in runs[0]] for network in networks]
    assert all(any(of_network) for of_network in inside)
    assert all(any(of_frame) for of_frame in zip(*inside, strict=True))
    assert len(set(runs[0])) == (len(runs[0]) if len(networks) == 1 else 5)


def test_a_single_frame_arrives_as_it_was_sent(generator: TrexGenerator) -> None:
    frame = bytes(
        Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        / IP(src="198.18.0.1", dst="198.19.0.1")
        / UDP(sport=1, dport=2)
        / bytes(range(64))
    )
    captured = generator.exchange([SentFrame(port=0, frame=frame)], [0, 1], wait_s=1.0, expect=1)
    assert [(c.port, c.frame) for c in captured] == [(1, frame)]


def test_calibration_never_exceeds_line_rate(generator: TrexGenerator) -> None:
    (size,) = calibration.measure(
        GeneratorMeasurer(generator, BOTH),
        (1518,),
        directions=2,
        speed_gbps=0.1,
        duration_s=0.2,
        progress=lambda _text: None,
    )
    assert 0 < size.ceiling_pps <= 2 * 0.1e9 / ((1518 + 20) * 8) + 1


def test_nobody_at_the_address_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match=r"no TRex answers at tcp://127\.0\.0\.1:9"):
        TrexGenerator("127.0.0.1", 9, 10, tmp_path / "log")


def test_the_release_decides_the_client() -> None:
    assert {client_for(version) for version in ("v2.94", "v3.08")} == {"lbr-trex-client"}
    assert {client_for(version) for version in ("v2.29", "v2.87")} == {"trex-stl-lib"}
    for between in ("v2.28", "v2.88", "v2.93"):
        with pytest.raises(GeneratorError, match=rf"no client speaks to a TRex server {re.escape(between)}"):
            client_for(between)


def test_a_dead_client_is_an_error_and_no_hang(server: VtrexServer) -> None:
    second = server.connect()
    second._process.kill()
    with pytest.raises(GeneratorError, match="ended or hung"):
        second.exchange([], [0])
    second.close()


def test_the_best_calibration_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path))
    slow = calibration.SizeCalibration(frame_size_bytes=64, ceiling_pps=1e6, floor_p50_us=2.0, floor_p99_us=None)
    fast = calibration.SizeCalibration(frame_size_bytes=64, ceiling_pps=2e6, floor_p50_us=3.0, floor_p99_us=9.0)
    calibration.keep("bed", "key", [slow])
    merged = calibration.keep("bed", "key", [fast])
    assert merged.sizes == (
        calibration.SizeCalibration(frame_size_bytes=64, ceiling_pps=2e6, floor_p50_us=2.0, floor_p99_us=9.0),
    )
    assert calibration.load("bed", "key") == merged
    assert calibration.load("bed", "another key") is None
