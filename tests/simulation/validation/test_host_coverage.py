"""Held-out points of a host whose truth is known: inside where the model is right, outside where it is not."""

from __future__ import annotations

import pytest

from lab.simulation.calibration.calibrate import from_measurement
from lab.simulation.calibration.measure import Measurement
from lab.simulation.calibration.points import FITTED, HELD_OUT
from lab.simulation.calibration.states import states
from lab.simulation.facts import HostFacts
from lab.simulation.machine import host
from lab.simulation.validation import host_coverage
from tests.simulation.calibration.synthetic import TSC_HZ, measurement

POINTS = HELD_OUT[:2]


def test_points_of_a_machine_like_the_model_lie_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_coverage, "HELD_OUT", POINTS)
    facts = HostFacts(tsc_hz=TSC_HZ, c2c_latency_ns_low=60, c2c_latency_ns_median=60, c2c_latency_ns_high=60)
    machine = host(facts)
    truth = {name: each.median for name, each in machine.ranges.items()}
    frozen, _ = from_measurement(measurement(machine, truth, FITTED), None, 16, 1)
    seen = measurement(machine, truth, POINTS)
    found = host_coverage.covered(frozen, states(seen, POINTS), jobs=2)
    assert found.count == len(POINTS)
    assert found.inside == len(POINTS)

    wrong = host_coverage.covered(frozen, states(_times(seen, 20), POINTS), jobs=2)
    assert (wrong.count, wrong.inside) == (len(POINTS), 0)
    assert "outside" in wrong.detail[0]


def _times(seen: Measurement, factor: float) -> Measurement:
    windows = tuple(each.model_copy(update={"rate": factor * each.rate}) for each in seen.windows)
    return seen.model_copy(update={"windows": windows})
