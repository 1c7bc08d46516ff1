"""Busy cycles a packet of the running image, measured against simulated, in each state of the machine that was seen."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab import session
from lab.bench.model import BenchResult
from lab.errors import LabError
from lab.images import find
from lab.microbench import path
from lab.microbench.path_prediction import compare
from lab.simulation.calibration import frozen
from lab.simulation.layout import from_manifest
from lab.testbed import load

TRIALS = 40


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def path_cycles() -> Iterator[BenchResult]:
    """Measure the image under a steady load, the core-to-core latency before and after each trial, and simulate both.

    Yields:
        The median busy cycles a packet of each state; ``ratio`` is over the simulated median, and lies between those
        over the 95 and the 5 % of the prediction.

    Raises:
        UsageError: the calibration of this host cannot be used.
        LabError: the testbed does not work, or every trial was disturbed.

    """
    testbed, image = load("virtual"), find("pix-padded")
    with tempfile.TemporaryDirectory(prefix="pixlab-bench-") as folder, session.hold(testbed, "bench path-cycles"):
        with session.use(testbed, image, Path(folder), _say) as used:
            trials = path.measure(used, TRIALS, _say)
        layout = from_manifest(image.directory / f"{image.name}.manifest.json")
        found = compare(
            "path-cycles",
            trials,
            layout,
            ports=len(testbed.dut.ports),
            cores=testbed.dut.machine.exclusive_cores,
            frozen=frozen.load(),
            jobs=2,
        )
    if not found:
        raise LabError("bench path-cycles: every trial was disturbed: give the polling cores to the lab alone")
    for one in found:
        yield BenchResult(
            bench=f"path-cycles:{one.state}",
            value=one.measured_cycles,
            unit="cycles/packet",
            against="the simulation, from the latency seen around the trials",
            ratio=one.ratio,
            ratio_low=one.measured_cycles / one.predicted_high,
            ratio_high=one.measured_cycles / one.predicted_low,
            runs=one.trials,
            c2c_latency_ns=one.c2c_ns,
            note=f"{one.forwarded_pps / 1e6:.2f} Mpps of {path.FRAME_SIZE_BYTES} bytes, {one.frames_a_turn:.1f} frames "
            f"a turn, private work {one.work_cycles:.0f} cycles; simulated {one.predicted_median:.0f} cycles a packet",
        )
