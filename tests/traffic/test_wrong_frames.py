"""From a wrong frame on a link to the one line that ends a measurement: server, official client, driver and methods."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.errors import WrongFramesReceived
from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import TrialRequest
from lab.traffic.load import Direction, PortAddresses
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.vtrex import VtrexServer
from tests.vtrex.far_end import FarEnd
from tests.vtrex.namespace import LINKS, namespace

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

FIRST, SECOND = (
    PortAddresses(port=port, mac="02:00:00:00:00:0c", dut_mac="02:00:00:00:00:0d", first_host=host, hosts=250)
    for port, host in enumerate(("198.18.128.1", "198.19.128.1"))
)
DIRECTIONS = (Direction(tx=FIRST, rx=SECOND), Direction(tx=SECOND, rx=FIRST))
REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=2000.0, duration_s=0.4, tagged_rate_pps=300.0)


def test_a_damaged_frame_ends_the_measurement_and_a_right_one_does_not(tmp_path: Path) -> None:
    with namespace(*LINKS) as netns:
        ports = ["--port", "af_packet:far0", "--port", "af_packet:far1", "--netns", netns, "--late-us", "1000000"]
        options = {"core": 0, "housekeeping_core": 0, "line_rate_gbps": 10.0, "log": tmp_path / "log"}
        with VtrexServer(ports, **options) as server:  # type: ignore[arg-type]
            generator = server.connect()
            measurer = GeneratorMeasurer(generator, DIRECTIONS)
            right = FarEnd(netns, "none")
            trial = measurer.measure(REQUEST)
            right.end(min(direction.sent_frames for direction in trial.directions))
            FarEnd(netns, "payload")
            with pytest.raises(WrongFramesReceived) as failure:
                Trials(measurer, Conditions(), "throughput").measure(REQUEST)
            generator.close()
    for direction in trial.directions:
        assert direction.verified
        assert (direction.wrong, direction.reordered_frames, direction.lost_frames) == ((), 0, 0)
        assert direction.received_frames > 0
    text = str(failure.value)
    assert text.startswith("throughput at 64 bytes, 2000 pps, port 0 to 1: ")
    assert "frames with wrong content; the first, at port 1: byte 43 is 0x01, expected 0x00; 02000000000c" in text
    assert "\n" not in text
