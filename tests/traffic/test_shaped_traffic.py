"""Bursts, steps, a single tagged frame, mixes and IPv6 by a real generator, its ports joined by a wire."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from scapy.layers.inet6 import UDP, IPv6
from scapy.layers.l2 import Ether

from lab import paths
from lab.methods.trial import LoadStep, TrialRequest, TrialResult, burst
from lab.traffic.load import Direction
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.streams import streams_for
from lab.traffic.trex import TrexGenerator
from lab.traffic.vtrex import VtrexServer
from tests.traffic.test_load import BOTH
from tests.traffic.test_streams import SIX
from tests.vtrex.serving import PATIENT, connected

pytestmark = pytest.mark.skipif(
    not (paths.NATIVE / "vtrex-engine").exists(), reason="vtrex-engine is not built: run 'make native'"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VtrexServer]:
    log = tmp_path_factory.mktemp("vtrex") / "vtrex.log"
    with VtrexServer(["--wire", *PATIENT], core=0, housekeeping_core=0, line_rate_gbps=10.0, log=log) as running:
        yield running


@pytest.fixture(scope="module")
def generator(server: VtrexServer) -> Iterator[TrexGenerator]:
    connected = server.connect()
    yield connected
    connected.close()


def counts(trial: TrialResult) -> list[tuple[int, int, int]]:
    return [(d.intended_frames, d.sent_frames, d.received_frames) for d in trial.directions]


def captured(server: VtrexServer, measurer: GeneratorMeasurer, request: TrialRequest) -> list[bytes]:
    """Return the frames of a trial that arrive at port 1."""
    with connected(server) as rpc, rpc.capturing(1, limit=1000) as frames:
        measurer.measure(request)
    return frames


def test_a_burst_sends_exactly_its_frames(generator: TrexGenerator) -> None:
    measurer = GeneratorMeasurer(generator, BOTH)
    for frames in (1, 3000, 777):
        trial = measurer.measure(burst(64, frames, 100_000.0, directions=2))
        assert counts(trial) == [(frames, frames, frames)] * 2
        assert all(direction.verified for direction in trial.directions)


def test_steps_are_counted_each_by_itself(generator: TrexGenerator) -> None:
    request = TrialRequest(
        frame_size_bytes=64,
        rate_pps=40_000.0,
        duration_s=0.2,
        tagged=False,
        steps=(LoadStep(rate_pps=10_000.0, duration_s=0.1), LoadStep(rate_pps=333.0, duration_s=0.3)),
    )
    trial = GeneratorMeasurer(generator, BOTH).measure(request)
    assert trial.duration_s == pytest.approx(0.6)
    assert counts(trial) == [(4550, 4550, 4550)] * 2
    told = [(s.step, s.tx_port, s.rx_port, s.sent_frames, s.received_frames) for s in trial.steps]
    assert told == [(k, p, 1 - p, n, n) for k, n in enumerate((4000, 500, 50)) for p in (0, 1)]


def test_the_frames_of_a_step_come_before_those_of_the_next(server: VtrexServer, generator: TrexGenerator) -> None:
    steps = (LoadStep(rate_pps=200.0, duration_s=0.1), LoadStep(rate_pps=600.0, duration_s=0.1))
    request = TrialRequest(frame_size_bytes=64, rate_pps=400.0, duration_s=0.1, tagged=False, steps=steps)
    frames = captured(server, GeneratorMeasurer(generator, BOTH[:1]), request)
    marks = [int.from_bytes(frame[18:20], "big") for frame in frames]
    assert [len(list(group)) for _, group in itertools.groupby(marks)] == [40, 20, 60]


def test_one_tagged_frame_crosses_in_the_middle_of_the_load(generator: TrexGenerator) -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=20_000.0, duration_s=0.4, tagged_frames=1, tagged_after_s=0.2)
    trial = GeneratorMeasurer(generator, BOTH).measure(request)
    assert counts(trial) == [(4001, 4001, 4001)] * 2
    assert [record.count for record in trial.latency] == [1, 1]
    assert all(record.min_ns == record.max_ns > 0 for record in trial.latency)


def test_no_load_but_tagged_frames(generator: TrexGenerator) -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=1000.0, duration_s=0.2, tagged_only=True)
    trial = GeneratorMeasurer(generator, BOTH).measure(request)
    assert counts(trial) == [(100, 100, 100)] * 2
    assert [record.count for record in trial.latency] == [100, 100]


def test_a_mix_arrives_complete_and_verified(server: VtrexServer, generator: TrexGenerator) -> None:
    mix = (64, 64, 64, 570, 64, 64, 570, 64, 64, 570, 570, 1518)
    request = TrialRequest(frame_size_bytes=354, rate_pps=20_000.0, duration_s=0.2, mix_bytes=mix)
    trial = GeneratorMeasurer(generator, BOTH).measure(request)
    assert counts(trial) == [(2000, 2000, 2000)] * 2
    assert all(direction.verified and not direction.wrong for direction in trial.directions)
    slow = request.model_copy(update={"rate_pps": 600.0, "tagged": False})
    frames = captured(server, GeneratorMeasurer(generator, BOTH[:1]), slow)
    assert len(frames) == 120
    assert sorted(len(frame) + 4 for frame in frames) == sorted(10 * mix)


def test_frames_over_ipv6_are_counted(server: VtrexServer, generator: TrexGenerator) -> None:
    directions = (Direction(tx=SIX[0], rx=SIX[1]), Direction(tx=SIX[1], rx=SIX[0]))
    measurer = GeneratorMeasurer(generator, directions)
    request = TrialRequest(frame_size_bytes=128, rate_pps=10_000.0, duration_s=0.2)
    trial = measurer.measure(request)
    assert [(d.sent_frames, d.received_frames, d.verified) for d in trial.directions] == [(1000, 1000, False)] * 2
    assert [record.count for record in trial.latency] == [200, 200]
    frames = captured(server, measurer, burst(66, 20, 1000.0, directions=2))
    packets = [Ether(frame) for frame in frames]
    assert [packet[IPv6].dst for packet in packets] == [f"2001:db8:2::{n:x}" for n in range(1, 21)]
    for packet in packets:
        checksum = packet[UDP].chksum
        del packet[UDP].chksum
        assert Ether(bytes(packet))[UDP].chksum == checksum


def test_traffic_of_both_versions_of_ip_in_a_ratio(generator: TrexGenerator) -> None:
    directions = (BOTH[0].model_copy(update={"weight": 9.0}), Direction(tx=SIX[0], rx=SIX[1]))
    request = TrialRequest(frame_size_bytes=128, rate_pps=10_000.0, duration_s=0.2, tagged=False)
    assert [stream.rate_pps for stream in streams_for(request, directions)] == pytest.approx([9_000.0, 1_000.0])
    trial = GeneratorMeasurer(generator, directions).measure(request)
    assert counts(trial) == [(2000, 2000, 2000)]
    assert not trial.directions[0].verified  # not all of it
