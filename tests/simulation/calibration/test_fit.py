"""A fit finds the numbers that its data were made with, as far as the data tell."""

import numpy as np
import pytest

from lab.simulation.calibration import fit as fits
from lab.simulation.calibration.calibrate import from_measurement
from lab.simulation.calibration.fit import FEWEST_EFFECTIVE, FITTED_NUMBERS, fit, weigh
from lab.simulation.calibration.points import FITTED
from lab.simulation.calibration.states import states
from lab.simulation.errors import SimulationError
from lab.simulation.facts import HostFacts
from lab.simulation.machine import Machine, host
from tests.simulation.calibration.synthetic import TSC_HZ, measurement

LATENCY_NS = 60.0
DRAWS = 48


def machine() -> Machine:
    facts = HostFacts(
        tsc_hz=TSC_HZ, c2c_latency_ns_low=LATENCY_NS, c2c_latency_ns_median=LATENCY_NS, c2c_latency_ns_high=LATENCY_NS
    )
    return host(facts)


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_it_recovers_how_long_a_line_stays_with_its_holder(share: float) -> None:
    base = machine()
    truth = {name: each.median for name, each in base.ranges.items()}
    truth["snoop"] = base.ranges["snoop"].quantile(share)
    (state,) = states(measurement(base, truth, FITTED, [LATENCY_NS]), FITTED)
    found = fit(base, state.of(FITTED), DRAWS)
    middle = base.ranges["snoop"].median
    mean = sum(sample.weight * sample.numbers["snoop"] for sample in found.samples)
    assert (mean > middle) == (truth["snoop"] > middle)
    assert abs(mean - truth["snoop"]) < abs(middle - truth["snoop"])
    assert found.rms_log_error < 0.3
    assert found.effective >= FEWEST_EFFECTIVE


def test_a_calibration_keeps_nothing_but_what_may_be_fitted() -> None:
    base = machine()
    truth = {name: each.median for name, each in base.ranges.items()}
    frozen, (state,) = from_measurement(measurement(base, truth, FITTED), None, 16, None)
    assert set(frozen.samples[0].numbers) == set(FITTED_NUMBERS)
    assert sum(sample.weight for sample in frozen.samples) == pytest.approx(1)
    assert state.latency_ns.median == pytest.approx(60)
    measured = frozen.machine().ranges
    assert measured["clock"].median == pytest.approx(3)
    assert measured["l1"].median == pytest.approx(6)  # 2 ns at 3 GHz
    assert frozen.digest == frozen.sealed().digest


def test_draws_that_agree_better_weigh_more_and_none_decides_alone() -> None:
    log_simulated = np.array([[0.0], [0.1], [0.4], [2.0], [5.0], [9.0], [9.0], [9.0]])
    weights = weigh(log_simulated, np.array([0.0]), np.array([0.0]))
    assert np.all(np.diff(weights) <= 0)
    assert weights.sum() == pytest.approx(1)
    far_off = weigh(log_simulated * 100 + 50, np.array([0.0]), np.array([0.0]))
    assert 1 / np.sum(far_off**2) >= FEWEST_EFFECTIVE


def test_a_point_whose_windows_disagree_says_less() -> None:
    log_simulated = np.array([[0.0, 1.0], [1.0, 0.0]] * 8)  # each draw is right at one of two points
    steady, unsteady = 0.03, 0.5
    weights = weigh(log_simulated, np.zeros(2), np.array([steady, unsteady]))
    assert np.all(weights[::2] > 2 * weights[1::2])
    assert weigh(log_simulated, np.zeros(2), np.array([steady, steady])) == pytest.approx(np.full(16, 1 / 16))


def test_nothing_to_fit_is_an_error() -> None:
    with pytest.raises(SimulationError, match="no point"):
        fits.fit(machine(), ())
