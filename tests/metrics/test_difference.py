"""Verdicts of comparisons are right as often as they say, and say what would tell where they cannot."""

from __future__ import annotations

import numpy as np
import pytest

from lab.metrics.difference import Better, Verdict, tell

SEEDS = 200


def values(random: np.random.Generator, count: int, mean: float, spread: float = 0.01) -> list[float]:
    return list(mean * (1 + spread * random.standard_normal(count)))


@pytest.mark.parametrize("spread", [None, (0.01, 30)], ids=["ranks", "known spread"])
def test_equal_sides_are_seldom_told_apart(spread: tuple[float, int] | None) -> None:
    random = np.random.default_rng(1)
    count = 2 if spread else 6
    told = [
        tell(
            values(random, count, 9e6), values(random, count, 9e6), better="more", matters=0.001, spread=spread
        ).verdict
        for _ in range(SEEDS)
    ]
    wrong = told.count("better") + told.count("regression")
    assert wrong <= 0.09 * SEEDS  # 5 % are expected
    assert set(told) <= {"better", "regression", "cannot tell"}


@pytest.mark.parametrize(("factor", "better", "verdict"), [
    (0.9, "more", "regression"), (1.1, "more", "better"), (0.9, "less", "better"), (1.1, "less", "regression"),
    (1.1, "unknown", "differs"), (1.0, "more", "no difference"),
])  # fmt: skip
def test_a_difference_is_named_by_what_is_better(factor: float, better: Better, verdict: Verdict) -> None:
    random = np.random.default_rng(2)
    for _ in range(20):
        found = tell(values(random, 12, 100, 0.002), values(random, 12, 100 * factor, 0.002), better=better)
        assert found.verdict == verdict
        assert found.more_values is None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.high


def test_one_value_of_each_tells_nothing_without_a_known_spread() -> None:
    found = tell([9e6], [5e6], better="more")
    assert (found.verdict, found.more_values, found.low, found.p_value) == ("cannot tell", 3, None, None)
    assert tell([9e6], [5e6], better="more", spread=(0.02, 10)).verdict == "regression"
    assert tell([9e6], [5e6], better="more", spread=(0.02, 2)).verdict == "cannot tell"


def test_as_many_more_values_as_are_said_tell() -> None:
    """The advice is followed: the difference that matters is then found in most cases."""
    random = np.random.default_rng(3)
    first, second = values(random, 4, 100, 0.02), values(random, 4, 102, 0.02)
    advice = tell(first, second, better="more", spread=(0.02, 100))
    assert advice.verdict == "cannot tell"
    assert advice.more_values is not None
    count = 4 + advice.more_values
    told = [
        tell(values(random, count, 100, 0.02), values(random, count, 102, 0.02), better="more").verdict
        for _ in range(SEEDS)
    ]
    assert told.count("better") >= 0.72 * SEEDS
    assert "regression" not in told


def test_a_limit_hides_what_is_above_it() -> None:
    low, high = [90.0, 90.1, 90.2, 90.3, 90.4], [100.0] * 5
    down = tell(high, low, better="more", at_limit=(True, False))
    assert (down.verdict, down.low) == ("regression", None)
    up = tell(low, high, better="more", at_limit=(False, True))
    assert (up.verdict, up.high) == ("better", None)
    assert tell(high, high, better="more", at_limit=(True, False)).verdict == "cannot tell"
    assert tell(high, high, better="more", at_limit=(True, True)).verdict == "no difference"
    both = tell(high, low, better="more", at_limit=(True, True))
    assert (both.verdict, both.more_values) == ("cannot tell", None)


@pytest.mark.parametrize(("first", "second", "verdict", "more"), [
    ([0.0], [0.0], "no difference", None),
    ([0.0], [0.1], "cannot tell", 3),
    ([0.0] * 6, [0.1] * 6, "regression", None),
    ([0.1, 0.2, 0.3, 0.4, 0.5], [0.0] * 5, "better", None),
])  # fmt: skip
def test_zeros_have_no_ratio_but_ranks(
    first: list[float], second: list[float], verdict: Verdict, more: int | None
) -> None:
    found = tell(first, second, better="less")
    assert (found.ratio, found.verdict, found.more_values) == (None, verdict, more)


@pytest.mark.parametrize(("first", "second"), [([], [1.0]), ([1.0], []), ([1.0], [-1.0])])
def test_nothing_and_less_than_nothing_are_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        tell(first, second, better="more")
