"""The jump of a curve is found where it is, in slope, noise and outliers; and none where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.simulation.calibration.step import FEWEST, last_that_fits

POINTS = 128


def curve(
    fits: int, jump: float, slope: float, noise: float, seed: int, step: int = 1
) -> tuple[list[int], list[float]]:
    """Return counts and ticks that jump by so many times 350 ticks after the ``fits``-th count."""
    counts = [step * (i + 1) for i in range(POINTS)]
    rising = np.array([350 + slope * i + (350 * jump if i >= fits else 0) for i in range(POINTS)])
    return counts, list(rising + np.random.default_rng(seed).normal(0, 350 * noise, POINTS))


@settings(max_examples=60, deadline=None)
@given(
    fits=st.integers(FEWEST + 7, POINTS - FEWEST),
    jump=st.floats(0.7, 1.3),
    slope=st.floats(0, 0.5),
    noise=st.floats(0, 0.05),
    seed=st.integers(0, 1000),
    step=st.sampled_from([1, 4]),
)
def test_the_jump_is_found(fits: int, jump: float, slope: float, noise: float, seed: int, step: int) -> None:
    assert last_that_fits(*curve(fits, jump, slope, noise, seed, step)) == fits * step


@settings(max_examples=60, deadline=None)
@given(slope=st.floats(0, 3), noise=st.floats(0, 0.3), seed=st.integers(0, 1000))
def test_a_line_has_none(slope: float, noise: float, seed: int) -> None:
    assert last_that_fits(*curve(POINTS, 0, slope, noise, seed)) is None


@pytest.mark.parametrize("away", [1, 3, 6])
def test_a_core_that_was_taken_away_at_some_counts_is_no_jump(away: int) -> None:
    found = []
    for seed in range(50):
        counts, ticks = curve(56, 0.8, 0.1, 0.03, seed)
        for i in np.random.default_rng(seed).choice(POINTS, away, replace=False):
            ticks[i] = 1e6
        found.append(last_that_fits(counts, ticks))
    assert found.count(56) >= 40  # one that was away just before the jump cannot be told from it
    assert all(fits is not None and abs(fits - 56) <= away for fits in found)


@pytest.mark.parametrize("buffers", [6, 8, 10, 12, 16, 20, 24, 28])
def test_the_second_wave_of_misses_is_what_counts(buffers: int) -> None:
    counts = range(1, 49)
    waves = [350 * np.ceil(count / buffers) + 5 * count for count in counts]
    assert last_that_fits(counts, waves) == buffers


def test_memory_that_is_slower_half_of_the_time_is_noise() -> None:
    counts, ticks = curve(56, 0, 0.1, 0.02, 1)
    slower = np.random.default_rng(2).random(POINTS) < 0.5
    assert last_that_fits(counts, list(np.where(slower, 2, 1) * ticks)) is None


def test_too_few_points_have_none() -> None:
    assert last_that_fits([1, 2, 3, 4, 5, 6], [1, 1, 1, 2, 2, 2]) is None
    assert last_that_fits([1, 2, 3, 4, 5, 6, 7], [1, 1, 1, 2, 2, 2, 2]) == 3
