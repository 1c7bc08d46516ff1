"""Both images under traffic: PDR at 64 bytes, deployed in turns.

It takes some ten minutes: not in profile quick, unless this file is asked for.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import baselines, images, session
from lab.images import Manifest, PixManifest
from lab.machines import cores
from lab.methods.profile import Profile
from lab.methods.profiles import QUICK
from lab.metrics.ratio import compare
from lab.microbench import comparison, packets
from lab.microbench.comparison import LAYOUTS
from lab.microbench.model import Layout
from lab.results.model import LayoutComparison
from lab.run import Run
from lab.simulation import host
from lab.simulation.verdict import of_ratio
from lab.testbed import Testbed

BLOCKS = 3
METRIC = f"PDR at {packets.FRAME_SIZE_BYTES} bytes"


def test_pdr_of_both_images(
    pytestconfig: pytest.Config, testbed: Testbed, pix: PixManifest, profile: Profile, run: Run
) -> None:
    """Both layouts forward; how much more one does stands in the report, with an interval."""
    asked_for = any(Path(str(argument).split("::")[0]).name == Path(__file__).name for argument in pytestconfig.args)
    if profile == QUICK and not asked_for:
        pytest.skip("it takes some ten minutes: take --profile=standard, or name this file")
    sharing = cores.plan(testbed.dut.machine.exclusive_cores).sharing
    if sharing:
        pytest.skip(f"nothing can be measured: {sharing}")
    both: dict[Layout, Manifest] = {layout: images.find(comparison.sibling(pix, layout)) for layout in LAYOUTS}
    simulated = baselines.of_host(
        pix,
        host.measure(),
        ports=len(testbed.dut.ports),
        cores=testbed.dut.machine.exclusive_cores,
        speed_gbps=session.speed_gbps(testbed),
    )
    observed = packets.in_turns(testbed, both, profile, BLOCKS, run.folder, run.say)
    found = compare(observed, "packed", "padded")
    assert found, f"only {len(observed)} of {4 * BLOCKS} deployments came to a result, too few for an interval"
    for ratio in found:
        predicted = simulated.ratio(packets.FRAME_SIZE_BYTES, ratio.c2c_ns)
        run.record_comparison(
            LayoutComparison(
                test="PDR of both images",
                bench=METRIC,
                where="packets",
                unit="pps",
                cores=testbed.dut.machine.exclusive_cores,
                batch=None,
                queue_length=None,
                predicted_low=predicted.low,
                predicted_median=predicted.median,
                predicted_high=predicted.high,
                verdict=of_ratio(ratio.low, ratio.high, predicted),
                **comparison.as_recorded(ratio),
            )
        )
