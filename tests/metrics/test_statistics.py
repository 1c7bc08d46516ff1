"""What is said of a few values is right as often as it says: counted over many seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lab.metrics.statistics import (
    Interval,
    bootstrap,
    cliffs_delta,
    compare_samples,
    relative_sd,
    two_modes,
    values_needed,
)

SEEDS = 400


def sample(seed: int, count: int, mean: float = 100.0, spread: float = 0.03) -> list[float]:
    """Draw values with a long tail: nothing here may lean on the normal distribution."""
    random = np.random.default_rng(seed)
    return list(mean * np.exp(spread * random.standard_gamma(2.0, count)))


def tells(interval: Interval | None) -> bool:
    """Say whether a ratio of 1 is outside."""
    return interval is not None and not interval.low <= 1.0 <= interval.high


@pytest.mark.parametrize(("first", "second"), [(4, 4), (3, 8), (10, 10), (60, 60)])
def test_the_interval_of_a_ratio_holds_the_truth_as_often_as_it_says(first: int, second: int) -> None:
    held = [0, 0]
    for seed in range(SEEDS):
        interval = compare_samples(sample(2 * seed, first, 120.0), sample(2 * seed + 1, second, 100.0)).interval
        assert interval is not None
        held[interval.low <= 1.2 <= interval.high] += 1
    # Of exact intervals at least 95 % hold; their steps are coarse, so that with few values more do.
    assert stats.binomtest(held[1], SEEDS, 0.95, alternative="less").pvalue > 0.001
    if min(first, second) >= 10:
        assert held[0] > 0, "an interval that always holds the truth is too wide"


@pytest.mark.parametrize("count", [20, 50])
def test_the_bootstrapped_interval_of_a_median_holds_the_truth_as_often_as_it_says(count: int) -> None:
    truth = 100.0 * np.exp(0.03 * stats.gamma(2.0).median())
    held = 0
    for seed in range(SEEDS):
        values = np.array(sample(seed, count))
        interval = bootstrap(count, lambda chosen, values=values: np.median(values[chosen], axis=-1), seed)  # type: ignore[misc]
        held += interval.low <= truth <= interval.high
    assert 0.92 * SEEDS <= held < SEEDS


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_the_effect_is_the_share_of_pairs(first: list[int], second: list[int]) -> None:
    pairs = [(a > b) - (a < b) for a in first for b in second]
    assert cliffs_delta(first, second) == pytest.approx(sum(pairs) / len(pairs))
    assert cliffs_delta(second, first) == pytest.approx(-sum(pairs) / len(pairs))


@pytest.mark.parametrize(("first", "second"), [(3, 3), (4, 4), (3, 5), (5, 7), (12, 9)])
def test_the_interval_leaves_one_out_just_where_the_test_tells_the_samples_apart(first: int, second: int) -> None:
    for seed in range(100):
        found = compare_samples(sample(2 * seed, first, 103.0), sample(2 * seed + 1, second))
        apart = tells(found.interval)
        assert apart == (found.p_value <= 0.05)


def test_three_values_on_either_side_have_no_interval() -> None:
    found = compare_samples([1.0, 1.1, 1.2], [5.0, 5.1, 5.2])
    assert (found.interval, found.effect) == (None, -1.0)
    assert found.p_value == pytest.approx(0.1)


@pytest.mark.parametrize(("first", "second"), [([], [1.0]), ([1.0], [0.0]), ([-1.0], [1.0])])
def test_a_ratio_of_nothing_is_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        compare_samples(first, second)


def test_as_many_values_as_are_said_to_be_needed_tell_the_difference_in_80_percent_of_the_cases() -> None:
    spread, difference = 0.02, 0.02
    count = values_needed(spread, difference)
    random = np.random.default_rng(1)
    told = 0
    for _ in range(SEEDS):
        values = (1 + spread * random.standard_normal((2, count))) * [[100.0 * (1 + difference)], [100.0]]
        interval = compare_samples(list(values[0]), list(values[1])).interval
        told += tells(interval)
    assert 0.75 <= told / SEEDS <= 0.9


def test_values_needed_are_never_too_few_for_ranks_and_never_endless() -> None:
    assert values_needed(0.0, 0.02) == values_needed(1e-6, 0.02) == 4
    assert values_needed(0.02, 1e-9) == 100_000
    assert values_needed(0.04, 0.02) > 3 * values_needed(0.02, 0.02)


def test_the_spread_of_samples_with_different_means_is_that_within_them() -> None:
    random = np.random.default_rng(2)
    samples = [list(mean * (1 + 0.05 * random.standard_normal(4))) for mean in (1e6, 1e7, 3e7) for _ in range(50)]
    found = relative_sd([*samples, [5.0]])
    assert found is not None
    assert found[0] == pytest.approx(0.05, rel=0.1)
    assert found[1] == 450
    assert relative_sd([[1.0], [2.0]]) is None


def test_one_mode_is_taken_for_two_no_more_often_than_it_may() -> None:
    random = np.random.default_rng(3)
    taken = sum(two_modes(list(random.normal(100, 3, 40))) is not None for _ in range(SEEDS))
    assert taken <= 0.05 * SEEDS  # the dip test is conservative for all but the uniform distribution


def test_two_modes_are_found_where_they_are() -> None:
    random = np.random.default_rng(4)
    found = 0
    for _ in range(50):
        values = np.concatenate([random.normal(90, 1.5, 28), random.normal(110, 1.5, 12)])
        random.shuffle(values)
        modes = two_modes(list(values))
        if modes is not None:
            found += 1
            assert [modes.low, modes.high] == pytest.approx([90, 110], abs=2)
            assert modes.share_high == pytest.approx(0.3)
    assert found >= 45


@pytest.mark.parametrize("values", [[], [1.0] * 50, [1.0, 2.0] * 4])
def test_of_few_or_equal_values_no_modes_are_named(values: list[float]) -> None:
    assert two_modes(values) is None


@pytest.mark.filterwarnings("error")
def test_a_resample_without_a_value_is_left_out() -> None:
    table = np.array([1.0, np.nan, 3.0, 2.0])
    interval = bootstrap(4, lambda chosen: np.asarray(table[chosen][:, 0]))
    assert (interval.low, interval.high) == (1.0, 3.0)
