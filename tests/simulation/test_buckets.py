"""The buckets of a latency histogram are narrow, and a percentile is that of the samples."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.simulation.buckets import BUCKETS, bucket_of_ps, percentile, ps_of_bucket
from lab.simulation.scene import NEVER

latencies = st.one_of(st.integers(0, NEVER - 1), st.integers(0, 1_000_000))


@given(latencies)
def test_a_bucket_is_at_most_a_64th_wide(latency_ps: int) -> None:
    middle = ps_of_bucket(bucket_of_ps(latency_ps))
    assert bucket_of_ps(middle) == bucket_of_ps(latency_ps)
    assert abs(middle - latency_ps) <= latency_ps / 128


def test_buckets_are_in_order_and_without_gaps() -> None:
    assert [bucket_of_ps(ps_of_bucket(bucket)) for bucket in range(BUCKETS)] == list(range(BUCKETS))
    assert bucket_of_ps(NEVER - 1) == BUCKETS - 1


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50), st.floats(0, 1))
def test_a_percentile_is_the_nearest_rank(samples: list[int], share: float) -> None:
    counts = [0] * BUCKETS
    for sample in samples:
        counts[bucket_of_ps(sample)] += 1
    exact = sorted(samples)[max(math.ceil(share * len(samples)), 1) - 1]
    assert percentile(counts, share) == ps_of_bucket(bucket_of_ps(exact))


def test_no_samples_have_no_percentile() -> None:
    assert percentile([0] * BUCKETS, 0.5) is None


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_is_between_nothing_and_all(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile([1], share)


@pytest.mark.parametrize("latency_ps", [-1, NEVER])
def test_a_latency_that_cannot_be_is_refused(latency_ps: int) -> None:
    with pytest.raises(ValueError, match="latency"):
        bucket_of_ps(latency_ps)


@pytest.mark.parametrize("bucket", [-1, BUCKETS])
def test_a_bucket_that_is_not_there_is_refused(bucket: int) -> None:
    with pytest.raises(ValueError, match="bucket"):
        ps_of_bucket(bucket)
