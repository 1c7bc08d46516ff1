from __future__ import annotations

from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from lab.vtrex.latency import add_bins, bucket_value, encode_histogram, trex_histogram

indices = st.integers(1, 25_599 - 1024)


@given(st.dictionaries(indices, st.integers(1, 10**6), min_size=1, max_size=30))
def test_the_encoded_histogram_has_the_engines_counts(buckets: dict[int, int]) -> None:
    pairs = sorted(buckets.items())
    decoded = HdrHistogram.decode(encode_histogram(pairs))
    assert decoded.get_total_count() == sum(buckets.values())
    for index, count in pairs:
        assert decoded.get_count_at_value(bucket_value(index)) == count


@given(indices)
def test_neighbouring_buckets_are_at_most_a_thousandth_apart(index: int) -> None:
    here, there = bucket_value(index), bucket_value(index + 1)
    assert here < there <= here + max(1, here // 1000)


def test_trex_bins_are_nine_a_decade_and_end_at_900_ms() -> None:
    index_of = {bucket_value(index): index for index in range(25_600)}

    def bin_of(at_least_ns: int) -> list[str]:
        return list(trex_histogram([(index_of[min(v for v in index_of if v >= at_least_ns)], 1)]))

    assert [bin_of(ns) for ns in (0, 9_000, 10_000, 95_000, 1_500_000, 950_000_000, 5_000_000_000)] == [
        ["0"], ["0"], ["10"], ["90"], ["1000"], ["900000"], ["900000"]
    ]  # fmt: skip
    assert add_bins({"0": 1, "10": 2}, {"10": 3, "900": 4}) == {"0": 1, "10": 5, "900": 4}
