"""The image asked for (--image) against another one (--against; of PIX, the other layout)."""

from __future__ import annotations

from contextlib import closing

import pytest

from lab import images
from lab.dut.subject import Subject
from lab.images import Manifest, PixManifest
from lab.machines import cores
from lab.measurements import in_turns
from lab.measurements.core import ATTEMPTS
from lab.methods import interleaved
from lab.methods.profile import Profile
from lab.methods.repeat import Conditions
from lab.microbench.comparison import LAYOUTS, sibling
from lab.results.finding import Finding
from lab.results.model import Measurement
from lab.run import Run
from lab.testbed import Testbed
from lab.traffic.calibration import Calibration

FRAME_SIZE_BYTES = 64


@pytest.fixture
def against(pytestconfig: pytest.Config, image: Subject) -> Manifest:
    """Return the other image."""
    asked = pytestconfig.option.against
    if asked is not None:
        return images.find(asked)
    if not isinstance(image, PixManifest):
        pytest.skip("say against what: --against=IMAGE")
    return images.find(next(name for name in (sibling(image, layout) for layout in LAYOUTS) if name != image.name))


def test_receive_rate_in_turns(
    testbed: Testbed, image: Subject, against: Manifest, profile: Profile, calibration: Calibration | None, run: Run
) -> None:
    """Both forward a share of the greatest load; how much more one does stands in the report, with an interval."""
    if not isinstance(image, Manifest):
        pytest.skip(f"{image.name} is a reference: no other image takes its place")
    if image.name == against.name:
        pytest.skip(f"{image.name} against itself: say --against=IMAGE")
    sharing = cores.plan(testbed.dut.machine.exclusive_cores).sharing
    if sharing:
        pytest.skip(f"nothing can be measured: {sharing}")
    test, search = "comparison in turns", interleaved.SEARCH
    both = {image.name: image, against.name: against}
    conditions = Conditions(attempts=ATTEMPTS, progress=run.watch(test), recall=run.recall(test))
    with (
        closing(in_turns.Turns(testbed, both, run.folder, run.say)) as taken,
        run.search(test, search, FRAME_SIZE_BYTES),
    ):
        found = in_turns.compare(taken, (image.name, against.name), FRAME_SIZE_BYTES, profile, calibration, conditions)
    run.record_finding(Finding(test=test, in_turns=found))
    run.record(
        Measurement(
            test=test,
            frame_size_bytes=FRAME_SIZE_BYTES,
            metric=f"rate received, {against.name} / {image.name}",
            value=found.ratio.ratio,
            unit="1",
            low=found.ratio.low,
            high=found.ratio.high,
            reason=found.sentence,
            trials=found.trials,
            invalid_trials=found.invalid_trials,
        )
    )
    assert all(rate > 0 for rates in found.rates_pps.values() for rate in rates), "nothing was forwarded"
