"""Bounds by chunk: against known values, and their confidence against many draws of known chance."""

from functools import cache

import numpy as np
import pytest
from scipy import stats

from lab.metrics.confidence import mean_lower, mean_upper, proved_above, proved_below, share_lower, share_upper

DRAWS = 400


def test_bounds_of_a_share() -> None:
    """Nothing in n draws: 1 - 0.05^(1/n), near 3 / n; and the interval of 5 in 20 as in the tables."""
    assert share_upper(0, 100, 0.95) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert share_lower(5, 20, 0.975) == pytest.approx(0.0866, abs=1e-4)
    assert share_upper(5, 20, 0.975) == pytest.approx(0.4910, abs=1e-4)
    assert share_upper(7, 7, 0.95) == 1.0
    assert share_upper(0, 0, 0.95) == 1.0
    assert share_lower(0, 7, 0.95) == 0.0


def test_the_mean_of_equal_events_has_the_exact_bounds_of_poisson() -> None:
    """Three events of 0.01 in 50 chunks: the Garwood bounds of a count of 3, times 0.01 / 50."""
    values = [0.01] * 3 + [0.0] * 47
    assert mean_upper(values, 0.0, 0.95) == pytest.approx(stats.chi2.ppf(0.95, 8) / 2 * 0.01 / 50)
    assert mean_lower(values, 0.95) == pytest.approx(stats.chi2.ppf(0.05, 6) / 2 * 0.01 / 50)
    assert mean_upper([0.0] * 100, 0.01, 0.95) == pytest.approx(-np.log(0.05) * 0.01 / 100)
    assert mean_lower([0.0] * 100, 0.95) == 0.0


@pytest.mark.parametrize("chance", [0.005, 0.05, 0.5])
def test_the_mean_is_within_its_bounds_as_often_as_they_promise(chance: float) -> None:
    """Steps: bursts of log-normal size, in few or many chunks of 200. Verify: each bound holds in at least 93 %."""
    random = np.random.default_rng(1)
    truth = chance * np.exp(0.5) * 1e-3
    held = np.zeros(2)
    for _ in range(DRAWS):
        values = list((random.random(200) < chance) * random.lognormal(0.0, 1.0, 200) * 1e-3)
        held += [mean_upper(values, 5e-3, 0.95) >= truth, mean_lower(values, 0.95) <= truth]
    assert min(held) >= 0.93 * DRAWS


@pytest.mark.parametrize("true_share", [0.1, 0.2])
def test_to_look_after_every_draw_proves_nothing_wrong(true_share: float) -> None:
    """Steps: 300 draws, looked at after each. Verify: wrong proofs are as rare as promised; by fixed bounds not."""
    random = np.random.default_rng(2)
    upper = cache(lambda k, n: share_upper(k, n, 0.95))
    wrong = fixed = 0
    for _ in range(DRAWS):
        counts = [int(k) for k in np.cumsum(random.random(300) < true_share)]
        wrong += any(proved_below(k, n, 0.1, 0.95) for n, k in enumerate(counts, 1))
        fixed += any(upper(k, n) < 0.1 for n, k in enumerate(counts, 1))
    assert wrong <= 0.05 * DRAWS
    assert true_share > 0.1 or fixed > 0.05 * DRAWS


def test_proofs() -> None:
    assert not proved_below(0, 10, 0.1, 0.975)
    assert proved_below(0, 60, 0.1, 0.975)
    assert not proved_below(6, 60, 0.1, 0.975)
    assert proved_above(5, 5, 0.1, 0.975)
    assert not proved_above(1, 5, 0.1, 0.975)
    assert not proved_above(0, 0, 0.1, 0.975)
