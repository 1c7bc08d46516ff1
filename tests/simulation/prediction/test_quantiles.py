"""Bands hold the next draw in nine cases of ten, and widen by the error of the model without passing a cap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.simulation.prediction.quantiles import SHARES, band, rate_band
from lab.simulation.prediction.sample import Sample

rates = st.floats(1.0, 1e8)


def sample(capacity_pps: float, cap_pps: float = 1e9) -> Sample:
    return Sample("packets", capacity_pps, cap_pps, "cpu", {}, {})


@given(st.lists(rates, min_size=20, max_size=60))
def test_bands_are_weibulls_quantiles(values: list[float]) -> None:
    found = band(values)
    expected = np.quantile(values, SHARES, method="weibull")
    assert (found.low, found.median, found.high) == pytest.approx(tuple(expected), rel=1e-9)


def test_a_further_draw_lies_within_in_nine_cases_of_ten() -> None:
    generator = np.random.default_rng(1)
    inside = 0
    for _ in range(3000):
        values = generator.lognormal(size=41)
        found = band(values[:40].tolist())
        inside += found.low <= values[40] <= found.high
    assert 0.88 < inside / 3000 < 0.92


@given(st.lists(rates, min_size=1, max_size=30))
def test_bands_are_ordered_and_within_the_draws(values: list[float]) -> None:
    found = band(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)


@given(st.lists(st.builds(sample, rates, rates), min_size=2, max_size=40), st.floats(0.01, 0.5))
def test_errors_of_the_model_pass_no_cap(samples: list[Sample], error: float) -> None:
    assert rate_band(samples, error).high <= max(each.cap_pps for each in samples)


def test_the_error_of_the_model_adds_to_the_spread_of_the_draws() -> None:
    alone = rate_band([sample(1e6)] * 1000, 0.2)
    assert alone.high / alone.median == pytest.approx(np.exp(0.2 * 1.645), rel=0.05)
    assert alone.low / alone.median == pytest.approx(np.exp(-0.2 * 1.645), rel=0.05)
    drawn = [sample(float(rate)) for rate in 1e6 * np.random.default_rng(1).lognormal(sigma=0.15, size=1000)]
    both = rate_band(drawn, 0.2)
    assert both.high / both.median == pytest.approx(np.exp(0.25 * 1.645), rel=0.1)
