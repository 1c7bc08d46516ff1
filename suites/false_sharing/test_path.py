"""The running image under traffic: busy cycles a packet, beside what is simulated from the latency seen just then."""

from __future__ import annotations

import pytest

from lab import session
from lab.images import PixManifest
from lab.machines import cores, host
from lab.microbench import path, path_prediction
from lab.run import Run
from lab.simulation.calibration.frozen import Frozen
from lab.simulation.layout import from_manifest
from lab.testbed import Testbed

TRIALS = 12


def test_busy_cycles_a_packet(testbed: Testbed, pix: PixManifest, run: Run, calibrated: Frozen | None) -> None:
    """What a packet costs the image is measured and simulated, in each state that the machine was seen in."""
    exclusive = testbed.dut.machine.exclusive_cores
    sharing = cores.plan(exclusive).sharing
    if sharing:
        pytest.skip(f"nothing can be measured: {sharing}")
    plan = host.plan()
    if plan.accelerator == "tcg":
        pytest.skip(f"the image is emulated here, and its cycles are none of a processor: {plan.reason}")
    folder = run.folder / "path"
    folder.mkdir(exist_ok=True)
    with session.use(testbed, pix, folder, run.say) as used:
        trials = path.measure(used, TRIALS, run.say)
    layout = from_manifest(pix.directory / f"{pix.name}.manifest.json")
    found = path_prediction.compare(
        "busy cycles a packet",
        trials,
        layout,
        ports=len(testbed.dut.ports),
        cores=exclusive,
        frozen=calibrated,
    )
    assert found, "every trial was disturbed, or the machine changed its state in it"
    for one in found:
        run.record_path(one)
        assert 0 < one.predicted_low <= one.predicted_high
        assert one.measured_cycles > 0
