"""The driver with the client of API 4, against a server that serves both generations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import paths
from lab.errors import GeneratorError
from lab.methods.trial import TrialRequest
from lab.traffic import trex
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.models import SentFrame
from lab.traffic.streams import streams_for
from lab.traffic.trex import TrexGenerator
from lab.traffic.vtrex import VtrexServer
from tests.traffic.test_load import BOTH

pytestmark = pytest.mark.skipif(
    not (paths.NATIVE / "vtrex-engine").exists(), reason="vtrex-engine is not built: run 'make native'"
)


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrexGenerator]:
    log = tmp_path_factory.mktemp("vtrex") / "vtrex.log"
    with (
        pytest.MonkeyPatch.context() as patch,
        VtrexServer(
            ["--wire", "--late-us", "1000000"], core=0, housekeeping_core=0, line_rate_gbps=10.0, log=log
        ) as server,
    ):
        patch.setattr(trex, "server_version", lambda *_: "v2.87")  # all that makes the lab take the other client
        connected = server.connect()
        yield connected
        connected.close()


def test_a_trial_counts_every_frame(generator: TrexGenerator) -> None:
    assert generator.info().client == "trex-stl-lib 0.3"
    assert (generator.info().ports, generator.info().speed_gbps) == (2, 10.0)
    request = TrialRequest(frame_size_bytes=128, rate_pps=10_000.0, duration_s=0.5, tagged=True, tagged_rate_pps=1_000)
    streams = streams_for(request, BOTH)
    for _ in range(2):  # what a trial leaves is none of the next
        trial = GeneratorMeasurer(generator, BOTH).measure(request)
        sent = [direction.sent_frames for direction in trial.directions]
        assert [direction.received_frames for direction in trial.directions] == sent
        assert all(0 < frames <= sum(s.rate_pps for s in streams if s.tx_port == 0) for frames in sent)
        assert len(trial.latency) == 2 and all(latency.count > 0 for latency in trial.latency)


def test_single_frames_arrive(generator: TrexGenerator) -> None:
    frame = bytes.fromhex("0200000000010200000000aa88b5") + bytes(46)
    (arrived,) = generator.exchange([SentFrame(port=0, frame=frame)], [1], wait_s=3.0, expect=1)
    assert (arrived.port, arrived.frame) == (1, frame)


def test_what_it_lacks_is_told(generator: TrexGenerator) -> None:
    request = TrialRequest(frame_size_bytes=128, rate_pps=1_000.0, duration_s=0.1)
    (stream, *_) = streams_for(request, BOTH)
    listed = stream.model_copy(update={"sweeps": (stream.sweeps[0].model_copy(update={"values": (1, 2, 3)}),)})
    with pytest.raises(GeneratorError, match=r"trex-stl-lib 0.3 has no lists of values: take a TRex from v2.94 on"):
        generator.run([listed], 0.1)
