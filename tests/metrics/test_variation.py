"""Jitter: PDV and IPDV of merged trials equal those of the delays themselves, and are blank where nobody can know."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.methods.trial import DelayVariation, LatencyRecord
from lab.metrics.latency import merge
from lab.metrics.variation import jitter


def encoded(values: list[int]) -> str:
    histogram = HdrHistogram(1, 10_000_000_000, 3)
    for value in values:
        histogram.record_value(value)
    return str(histogram.encode().decode())


def trial(delays_ns: list[int], *, with_variation: bool = True) -> LatencyRecord:
    steps = [b - a for a, b in pairwise(delays_ns)]
    variation = DelayVariation(
        count=len(steps),
        min_ns=min(steps, default=0),
        max_ns=max(steps, default=0),
        mean_abs_ns=float(np.mean(np.abs(steps))) if steps else 0.0,
        hdr=encoded([abs(step) for step in steps]),
    )
    return LatencyRecord(
        tx_port=0,
        rx_port=1,
        count=len(delays_ns),
        min_ns=min(delays_ns, default=0),
        max_ns=max(delays_ns, default=0),
        mean_ns=float(np.mean(delays_ns)) if delays_ns else 0.0,
        hdr=encoded(delays_ns),
        source="test",
        variation=variation if with_variation else None,
    )


def median(values: list[int]) -> int:
    return sorted(values)[math.ceil(len(values) / 2) - 1]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(1, 5_000_000), max_size=30), max_size=4))
def test_jitter_is_that_of_the_delays_of_all_trials(trials: list[list[int]]) -> None:
    found = jitter([trial(delays) for delays in trials])
    delays = [delay for one in trials for delay in one]
    if not delays:
        assert found is None
        return
    assert found is not None
    assert found.samples == len(delays)
    assert found.pdv_max_us == (max(delays) - min(delays)) / 1000
    bucket_us = median(delays) / 1e6
    assert found.pdv_percentiles_us["50"] == pytest.approx((median(delays) - min(delays)) / 1000, abs=bucket_us)
    steps = [b - a for one in trials for a, b in pairwise(one)]
    if not steps:
        assert found.ipdv is None
        return
    assert found.ipdv is not None
    assert found.ipdv.samples == len(steps)
    assert (found.ipdv.min_us, found.ipdv.max_us) == (min(steps) / 1000, max(steps) / 1000)
    assert found.ipdv.mean_abs_us == pytest.approx(float(np.mean(np.abs(steps))) / 1000)
    assert found.ipdv.percentiles_us["50"] == pytest.approx(median([abs(s) for s in steps]) / 1000, rel=0.002)


def test_without_variation_only_what_single_delays_tell() -> None:
    found = jitter([trial([1000, 3000, 2000], with_variation=False)])
    assert found is not None
    assert found.ipdv is None
    assert found.pdv_max_us == 2.0


def test_tails_are_blank_where_the_count_does_not_allow_them() -> None:
    found = jitter([trial(list(range(1000, 2000)))])
    assert found is not None and found.ipdv is not None
    assert found.pdv_percentiles_us["99"] == pytest.approx(0.99, rel=0.01)
    assert found.pdv_percentiles_us["99.9"] is None
    assert found.ipdv.percentiles_us["90"] == pytest.approx(0.001)
    assert found.ipdv.percentiles_us["99.9999"] is None


def test_ten_million_samples_allow_six_nines() -> None:
    histogram = HdrHistogram(1, 10_000_000_000, 3)
    histogram.record_value(1000, 9_999_990)
    histogram.record_value(50_000, 10)
    record = LatencyRecord(
        tx_port=0,
        rx_port=1,
        count=10_000_000,
        min_ns=1000,
        max_ns=50_000,
        mean_ns=1000.05,
        hdr=histogram.encode().decode(),
        source="test",
    )
    assert merge([record]).percentiles_us()["99.9999"] == pytest.approx(1.0, rel=0.002)
    assert jitter([record]).pdv_percentiles_us["99.9999"] == pytest.approx(0.0, abs=0.002)  # type: ignore[union-attr]


def test_a_torn_histogram_of_the_variation_is_refused() -> None:
    good = trial([1000, 2000, 1500])
    assert good.variation is not None
    torn = good.model_copy(update={"variation": good.variation.model_copy(update={"count": 5})})
    with pytest.raises(ValueError, match="histogram of the delay variation holds 2 samples, its record says 5"):
        jitter([torn])
