"""A generator that dies in the middle of a trial ends the trial at once, with what died; never a hang or a number."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import paths
from lab.errors import GeneratorError
from lab.methods.trial import TrialRequest
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.vtrex import VtrexServer
from tests.traffic.test_load import BOTH
from tests.traffic.test_paused_engine import engine_of, sent_frames
from tests.vtrex.serving import connected

pytestmark = pytest.mark.skipif(
    not (paths.NATIVE / "vtrex-engine").exists(), reason="vtrex-engine is not built: run 'make native'"
)

LONG_S = 3600.0  # no test would last so long
REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=2_000.0, duration_s=LONG_S)


def when_traffic_flows(server: VtrexServer, act: Callable[[], None]) -> threading.Thread:
    """Do something as soon as frames of the next trial are sent."""

    def wait() -> None:
        with connected(server) as rpc:
            before = sent_frames(rpc)
            ready.set()
            while sent_frames(rpc) == before:
                time.sleep(0.01)
        act()

    ready = threading.Event()
    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait()
    return thread


def kill_engine(server: VtrexServer) -> None:
    os.kill(engine_of(server), signal.SIGKILL)


def kill_server(server: VtrexServer) -> None:
    server._process.kill()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("kill", "says"),
    [
        (kill_engine, r"vtrex ended with exit code 14 \(.*the vtrex engine .*\) during 'run'"),
        (kill_server, r"vtrex ended with exit code -9 \(.*\) during 'run'"),
    ],
)
def test_the_trial_ends_with_what_died(tmp_path: Path, kill: Callable[[VtrexServer], None], says: str) -> None:
    with VtrexServer(["--wire"], core=0, housekeeping_core=0, line_rate_gbps=10.0, log=tmp_path / "log") as server:
        generator = server.connect()
        killer = when_traffic_flows(server, lambda: kill(server))
        with pytest.raises(GeneratorError, match=says):
            GeneratorMeasurer(generator, BOTH).measure(REQUEST)
        killer.join()
        with pytest.raises(GeneratorError, match="vtrex ended"):
            generator.exchange([], [0])
        generator.close()


@pytest.mark.timeout(60)
def test_a_client_of_a_server_elsewhere_sees_its_end_by_itself(tmp_path: Path) -> None:
    """As of a TRex on another machine, of which no process can be watched."""
    with VtrexServer(["--wire"], core=0, housekeeping_core=0, line_rate_gbps=10.0, log=tmp_path / "log") as server:
        generator = server.connect()
        generator._server, generator._shares_cores = None, False
        killer = when_traffic_flows(server, lambda: kill_server(server))
        with pytest.raises(GeneratorError, match="'run'"):
            GeneratorMeasurer(generator, BOTH).measure(REQUEST)
        killer.join()
        generator._process.kill()  # it would try to release ports of a server that is gone
        generator.close()
