"""Several queue pairs a port: dpdk-testpmd forwards on all of them, and each flow keeps to one and to its order."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from lab import paths
from lab.dut.testpmd import Testpmd
from lab.dut.testpmd_process import PROGRAM
from lab.methods.trial import TrialRequest, TrialResult
from lab.traffic.load import Direction, PortAddresses
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.vtrex import VtrexServer

pytestmark = pytest.mark.skipif(
    shutil.which(PROGRAM) is None or not (paths.NATIVE / "vtrex-engine").exists(),
    reason="needs dpdk-testpmd and the vtrex engine",
)

QUEUES = 4
MACS = ("52:54:00:12:01:00", "52:54:00:12:01:01")
PORTS = tuple(
    PortAddresses(port=n, mac=f"02:00:00:00:00:0{n}", dut_mac=MACS[n], first_host=f"198.1{8 + n}.128.1", hosts=250)
    for n in (0, 1)
)
BOTH = tuple(Direction(tx=PORTS[n], rx=PORTS[1 - n], hops=0) for n in (0, 1))
REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=20_000.0, duration_s=0.5, tagged_rate_pps=2000.0)


def forwarded(folder: Path, *, queues: int) -> TrialResult:
    """Run a trial through a testpmd that uses so many of the queues."""
    sockets = [folder / f"v{n}" for n in (0, 1)]
    options = [word for socket in sockets for word in ("--port", f"vhost:{socket},queues={QUEUES}")]
    options += ["--late-us", "1000000"]
    log, macs = folder / "testpmd.log", [port.mac for port in PORTS]
    with (
        VtrexServer(options, core=0, housekeeping_core=0, line_rate_gbps=10.0, log=folder / "vtrex.log") as server,
        Testpmd(sockets, MACS, macs, core=1, housekeeping_core=0, queue_size=256, log=log, queues=queues) as testpmd,
    ):
        testpmd.start()
        generator = server.connect()
        trial = GeneratorMeasurer(generator, BOTH).measure(REQUEST)
        testpmd.stop()
        generator.close()
    return trial


def test_flows_are_spread_over_all_queues_and_none_is_reordered(tmp_path: Path) -> None:
    for direction in forwarded(tmp_path, queues=QUEUES).directions:
        assert (direction.verified, direction.wrong, direction.reordered_frames) == (True, (), 0)
        assert 0 < direction.received_frames <= direction.sent_frames
    # testpmd prints a block for each queue that had frames.
    used = re.findall(r"RX Port= ?(\d)/Queue= ?(\d)", (tmp_path / "testpmd.log").read_text())
    assert set(used) == {(str(port), str(queue)) for port in (0, 1) for queue in range(QUEUES)}


def test_a_queue_that_nobody_empties_loses_its_own_frames_and_holds_up_no_other(tmp_path: Path) -> None:
    for direction in forwarded(tmp_path, queues=QUEUES // 2).directions:
        assert direction.wrong == ()
        assert direction.refused_frames > direction.sent_frames / 4
        assert direction.received_frames > direction.sent_frames / 4
