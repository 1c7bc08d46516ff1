"""Predictions with calibrated parameters: drawn from the fit, spread by its error, and they say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.simulation import native
from lab.simulation.calibration.calibrate import from_measurement
from lab.simulation.calibration.frozen import Frozen
from lab.simulation.calibration.points import FITTED
from lab.simulation.facts import HostFacts
from lab.simulation.machine import host
from lab.simulation.prediction import Question, predict
from lab.simulation.prediction.draw import draws
from tests.simulation.calibration.synthetic import TSC_HZ, measurement

DRAWS = 16


@pytest.fixture(scope="module")
def frozen(built: Path) -> Frozen:
    """Return a calibration of a simulated host: the median of all priors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "LIBRARY", built / native.LIBRARY.name)
        facts = HostFacts(tsc_hz=TSC_HZ, c2c_latency_ns_low=60, c2c_latency_ns_median=60, c2c_latency_ns_high=60)
        machine = host(facts)
        truth = {name: each.median for name, each in machine.ranges.items()}
        return from_measurement(measurement(machine, truth, FITTED), None, DRAWS, 1)[0]


def ask(frozen: Frozen | None) -> Question:
    point = FITTED[0]
    machine = (
        frozen.machine()
        if frozen
        else host(HostFacts(tsc_hz=TSC_HZ, c2c_latency_ns_low=60, c2c_latency_ns_median=60, c2c_latency_ns_high=60))
    )
    return Question(machine, point.workload.name, point.layout, point.case, seeds=(1, 2), frozen=frozen)


def test_fitted_numbers_are_drawn_from_the_fit(frozen: Frozen) -> None:
    fitted = {sample.numbers["snoop"] for sample in frozen.samples}
    assert {draw.numbers["snoop"] for draw in draws(ask(frozen))} <= fitted
    assert len({draw.numbers["jitter"] for draw in draws(ask(frozen))}) == 16  # not fitted: from its prior


def test_a_prediction_names_its_calibration(frozen: Frozen) -> None:
    found = predict(ask(frozen), jobs=2)
    assert found.frozen == frozen.digest
    assert frozen.digest[:12] in found.parameters["snoop"].source
    assert found.parameters["log_error"].value == frozen.rms_log_error
    assert predict(ask(frozen)) == found
    assert ask(frozen).digest != ask(None).digest
    assert predict(ask(None)).frozen is None


def test_a_worse_fit_makes_a_wider_band(frozen: Frozen) -> None:
    worse = frozen.model_copy(update={"rms_log_error": frozen.rms_log_error + 0.5})
    narrow, wide = (predict(ask(each)).rate_pps for each in (frozen, worse))
    assert wide.low < narrow.low
    assert wide.high > narrow.high
