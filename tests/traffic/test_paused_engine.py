"""A generator that was paused in a trial makes that trial invalid, and no other: from server to judgement."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import pytest

from lab import paths
from lab.methods.trial import TrialRequest, TrialResult
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.vtrex import VtrexServer
from tests.traffic.test_load import BOTH
from tests.vtrex.serving import Rpc, connected, pause

pytestmark = pytest.mark.skipif(
    not (paths.NATIVE / "vtrex-engine").exists(), reason="vtrex-engine is not built: run 'make native'"
)

PAUSE_S = 0.02
LIMIT_US = 15_000  # of pauses; on a machine that makes longer ones by itself a trial is tried again
ATTEMPTS = 20
REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=20_000.0, duration_s=0.5)


def engine_of(server: VtrexServer) -> int:
    command = ["pgrep", "-P", str(server._process.pid), "vtrex-engine"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def paused_for_ms(trial: TrialResult) -> float:
    return max(disturbance.gap_max_ns or 0 for disturbance in trial.disturbances) / 1e6


def undisturbed(measurer: GeneratorMeasurer) -> TrialResult:
    """Return the first trial that counts; one that does not was paused, and says so."""
    for _ in range(ATTEMPTS):
        trial = measurer.measure(REQUEST)
        if not trial.invalid:
            return trial
        assert paused_for_ms(trial) > LIMIT_US / 1e3, trial.invalid
    raise AssertionError("this machine pauses the generator in every trial")


def sent_frames(rpc: Rpc) -> int:
    return int(rpc.call("get_port_stats", port_id=0)["opackets"])


def paused(measurer: GeneratorMeasurer, server: VtrexServer) -> TrialResult:
    def pause_in_traffic() -> None:
        engine = engine_of(server)
        with connected(server) as rpc:
            before = sent_frames(rpc)
            started.set()
            while sent_frames(rpc) == before:
                time.sleep(0.01)
        pause(engine, PAUSE_S)

    started = threading.Event()
    thread = threading.Thread(target=pause_in_traffic)
    thread.start()
    started.wait()
    try:
        return measurer.measure(REQUEST)
    finally:
        thread.join()


def test_exactly_the_trial_with_the_pause_is_invalid(tmp_path: Path) -> None:
    options = ["--wire", "--late-us", "1000000", "--gap-limit-us", str(LIMIT_US)]
    with VtrexServer(options, core=0, housekeeping_core=0, line_rate_gbps=10.0, log=tmp_path / "log") as server:
        generator = server.connect()
        measurer = GeneratorMeasurer(generator, BOTH)
        first, second, third = undisturbed(measurer), paused(measurer, server), undisturbed(measurer)
        generator.close()
    assert (first.invalid, third.invalid) == ((), ())
    assert max(paused_for_ms(first), paused_for_ms(third)) <= LIMIT_US / 1e3
    assert paused_for_ms(second) >= PAUSE_S * 1e3
    (reason,) = second.invalid
    assert f"paused for {paused_for_ms(second):.2f} ms" in reason
    assert second.lost_frames == 0  # nothing was lost on this wire, and yet the load was not the one that was asked for
