"""Latency: percentiles equal those of the samples, merged equal together, and blank where the count is small."""

import math

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.methods.trial import LatencyRecord
from lab.metrics.latency import merge


def recorded(samples_ns: list[int]) -> LatencyRecord:
    histogram = HdrHistogram(1, 10_000_000_000, 3)
    for sample in samples_ns:
        histogram.record_value(sample)
    return LatencyRecord(
        tx_port=0,
        rx_port=1,
        count=len(samples_ns),
        min_ns=min(samples_ns, default=0),
        max_ns=max(samples_ns, default=0),
        mean_ns=float(np.mean(samples_ns)) if samples_ns else 0.0,
        hdr=histogram.encode().decode(),
        source="test",
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(1, 9_000_000_000), max_size=30), max_size=4))
def test_merged_percentiles_are_those_of_all_samples(trials: list[list[int]]) -> None:
    together = sorted(s for trial in trials for s in trial)
    merged = merge([recorded(trial) for trial in trials])
    assert merged.count == len(together)
    if not together:
        assert merged.value_us(50) is None
        assert merged.curve() == ()
        return
    assert (merged.min_ns, merged.max_ns) == (together[0], together[-1])
    assert merged.mean_ns == pytest.approx(float(np.mean(together)))
    exact_us = together[math.ceil(len(together) / 2) - 1] / 1000
    assert merged.value_us(50) == pytest.approx(exact_us, rel=0.002)


def test_a_percentile_needs_ten_samples_beyond_it() -> None:
    shown = merge([recorded(list(range(1, 1001)))]).percentiles_us()
    assert shown["50"] == pytest.approx(0.5)
    assert shown["90"] == pytest.approx(0.9)
    assert shown["99"] == pytest.approx(0.99)
    assert shown["99.9"] is None
    assert shown["99.9999"] is None


def test_a_tail_is_found_in_the_merged_histogram_only() -> None:
    fast, slow = recorded([1000] * 9900), recorded([90_000] * 100)
    merged = merge([fast, slow])
    assert merged.value_us(99) == pytest.approx(1.0, rel=0.002)
    assert merged.value_us(99.9) == pytest.approx(90.0, rel=0.002)


def test_the_curve_rises_and_ends_at_the_last_sample() -> None:
    curve = merge([recorded(list(range(1, 5001)))]).curve()
    assert [us for _, us in curve] == sorted(us for _, us in curve)
    assert curve[0][0] == 0
    assert 99.9 < curve[-1][0] < 100


def test_a_torn_histogram_is_refused() -> None:
    good = recorded([5, 6, 7])
    with pytest.raises(ValueError, match="cannot be decoded"):
        merge([good.model_copy(update={"hdr": good.hdr[:20]})])
    with pytest.raises(ValueError, match="holds 3 samples, its record says 4"):
        merge([good.model_copy(update={"count": 4})])
