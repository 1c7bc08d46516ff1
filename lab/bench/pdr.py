"""PDR of the image at 64 bytes on the virtual testbed, against the generator's own ceiling on a wire."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab import session
from lab.bench.model import BenchResult
from lab.errors import LabError
from lab.images import find
from lab.measurements.greatest_load import greatest_load
from lab.methods import mlr
from lab.methods.profiles import QUICK
from lab.methods.repeat import Conditions
from lab.testbed import load
from lab.traffic.calibrate import calibrate

FRAME_SIZE_BYTES = 64
RUNS = 3


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def pdr_64() -> Iterator[BenchResult]:
    """Alternate between the wire and the DUT, which sees both in the same state of the machine.

    Yields:
        The median PDR, both directions together, in frames a second.

    Raises:
        LabError: the testbed does not work, or no load met the goal.

    """
    testbed, image = load("virtual"), find("pix-padded")
    rates, ceilings = [], []
    with tempfile.TemporaryDirectory(prefix="pixlab-bench-") as folder, session.hold(testbed, "bench pdr-64"):
        for number in range(RUNS):
            run_dir = Path(folder) / str(number)
            run_dir.mkdir()
            calibrated = calibrate(testbed, (FRAME_SIZE_BYTES,), run_dir / "calibration.log", _say)
            ceiling_pps = calibrated.ceiling_pps(FRAME_SIZE_BYTES) if calibrated else None
            with session.use(testbed, image, run_dir, _say) as used:
                conditions = Conditions()
                limit = greatest_load(used, used.measurer, FRAME_SIZE_BYTES, calibrated, conditions)
                found = mlr.search(used.measurer, QUICK.mlr_plan(FRAME_SIZE_BYTES, limit), conditions)["PDR"]
            if found.lower_pps is None or ceiling_pps is None:
                raise LabError("bench pdr-64: no load met the goal: run suites/ipv4_routing to see why")
            rates.append(found.lower_pps)
            ceilings.append(ceiling_pps)
    yield BenchResult(
        bench="pdr-64",
        value=statistics.median(rates),
        unit="pps",
        against="ceiling of the generator on a wire",
        ratio=statistics.median(r / c for r, c in zip(rates, ceilings, strict=True)),
        runs=RUNS,
    )
