"""Micro-benchmarks (pytest-benchmark) of what runs after or between trials. They assert results, never times."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from lab import images
from lab.methods.trial import DirectionCount, LatencyRecord, TrialRequest, TrialResult
from lab.methods.validity import ValidityLimits, judge
from lab.metrics.latency import merge
from lab.metrics.reordering import reordering_record
from lab.traffic import histogram
from lab.traffic.streams import streams_for
from tests.traffic.test_load import BOTH

ARRIVALS = 100_000


@pytest.mark.benchmark(group="metrics")
def test_reordering_of_a_long_sequence(benchmark: BenchmarkFixture) -> None:
    order = np.arange(ARRIVALS, dtype=np.uint32)
    order[[10, 11]] = order[[11, 10]]

    def measured() -> int:
        record = reordering_record(order, sent=ARRIVALS, tx_port=0, rx_port=1, complete=True, source="benchmark")
        return record.reordered

    assert benchmark(measured) == 1


@pytest.mark.benchmark(group="metrics")
def test_merging_latency_histograms(benchmark: BenchmarkFixture) -> None:
    count, hdr = histogram.from_trex({str(us): 1 + us for us in (*range(10, 100, 10), *range(100, 1000, 100))})
    record = LatencyRecord(
        tx_port=0, rx_port=1, count=count, min_ns=10_000, max_ns=900_000, mean_ns=5e5, hdr=hdr, source="trex-histogram"
    )
    assert benchmark(merge, [record] * 20).count == 20 * count


@pytest.mark.benchmark(group="methods")
def test_judging_a_trial(benchmark: BenchmarkFixture) -> None:
    trial = TrialResult(
        request=TrialRequest(frame_size_bytes=64, rate_pps=1e6, duration_s=1.0),
        started_at_s=0.0,
        duration_s=1.0,
        directions=(
            DirectionCount(tx_port=0, rx_port=1, intended_frames=500_000, sent_frames=500_000, received_frames=499_999),
        ),
    )
    assert benchmark(judge, trial, ValidityLimits()) == ()


@pytest.mark.benchmark(group="traffic")
def test_making_the_streams_of_a_trial(benchmark: BenchmarkFixture) -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=1e6, duration_s=1.0)
    assert len(benchmark(streams_for, request, BOTH)) == 4


@pytest.mark.benchmark(group="images")
def test_checking_an_image_against_its_manifest(benchmark: BenchmarkFixture) -> None:
    images.build()
    assert benchmark(images.find, "pix-padded").name == "pix-padded"
