"""The ratio of two layouts, its interval, and the states of the machine that are kept apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.metrics import ratio as ratios
from lab.metrics.ratio import ENOUGH, Observation, Ratio, boundary_ns

TURNS = ("padded", "packed", "packed", "padded")


def windows(
    ratio: float, blocks: int = 20, noise: float = 0.02, c2c_ns: float = 60.0, seed: int = 0
) -> list[Observation]:
    """Make windows whose packed rate is ``ratio`` times the padded one, on a machine that drifts to half its speed."""
    random = np.random.default_rng(seed)
    return [
        Observation(
            block=block,
            side=layout,
            rate=1e7 * (ratio if layout == "packed" else 1.0) * (1 - 0.5 * block / blocks) * random.normal(1, noise),
            c2c_ns=(c2c_ns * random.uniform(0.95, 1.05), c2c_ns * random.uniform(0.95, 1.05)),
        )
        for block in range(blocks)
        for layout in TURNS
    ]


def compare(observations: list[Observation]) -> tuple[Ratio, ...]:
    return ratios.compare(observations, "packed", "padded")


@pytest.mark.parametrize("ratio", [0.2, 0.98, 1.3])
def test_the_interval_holds_the_ratio_though_the_machine_drifts(ratio: float) -> None:
    (found,) = compare(windows(ratio))
    assert found.low <= ratio <= found.high
    assert found.ratio == pytest.approx(ratio, rel=0.05)
    assert found.high - found.low < 0.3 * ratio
    assert (found.state, found.windows, found.left_out) == ("all", 80, 0)


@pytest.mark.parametrize("blocks", [3, 6, 10])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(blocks: int) -> None:
    covered = sum(
        one.low <= 1.0 <= one.high
        for seed in range(200)
        for one in compare(windows(1.0, blocks=blocks, noise=0.1, seed=seed))
    )
    assert covered >= 180  # 190 of 200 are expected; fewer than 180 come once in a thousand times


def test_what_is_equal_has_no_effect_and_what_is_slower_has_all_of_it() -> None:
    (same,), (slower,) = compare(windows(1.0)), compare(windows(0.1))
    assert abs(same.effect) < 0.3
    assert slower.effect == 1.0


def test_near_and_far_are_never_mixed() -> None:
    near, far = windows(1.2, c2c_ns=26, seed=1), windows(0.5, c2c_ns=106, seed=2)
    spanning = [near[0].model_copy(update={"c2c_ns": (26.0, 106.0), "rate": 1.0})]
    found = {one.state: one for one in compare([*near, *spanning, *far])}
    assert set(found) == {"near", "far"}
    assert found["near"].low > 1 > found["far"].high
    assert found["near"].windows == found["far"].windows == 80


def test_an_interrupted_ping_pong_is_no_state() -> None:
    measured = windows(0.5)
    measured[3] = measured[3].model_copy(update={"c2c_ns": (60.0, 9e6)})
    (found,) = compare(measured)
    assert (found.state, found.windows) == ("all", 80)


def test_disturbed_windows_are_left_out_while_enough_others_are_left() -> None:
    measured = windows(0.5)
    hit = [one.model_copy(update={"disturbed": True, "rate": 1.0}) for one in measured[:20]] + measured[20:]
    (found,) = compare(hit)
    assert (found.windows, found.left_out) == (60, 20)
    (all_hit,) = compare([one.model_copy(update={"disturbed": True}) for one in measured])
    assert (all_hit.windows, all_hit.left_out) == (80, 0)


def test_too_few_windows_give_no_interval() -> None:
    assert compare([]) == ()
    assert compare(windows(0.5)[: 2 * ENOUGH - 1]) == ()
    assert compare([one for one in windows(0.5) if one.side == "packed"]) == ()
    assert compare([one.model_copy(update={"block": one.block % 2}) for one in windows(0.5)]) == ()


def test_a_window_whose_state_was_not_seen_is_in_none() -> None:
    near, far = windows(1.2, c2c_ns=26), windows(0.5, c2c_ns=106)
    unseen = [near[0].model_copy(update={"c2c_ns": None, "rate": 1.0})]
    assert [one.windows for one in compare([*near, *unseen, *far])] == [80, 80]


def test_windows_without_a_latency_are_one_state() -> None:
    (found,) = compare([one.model_copy(update={"c2c_ns": None}) for one in windows(0.5)])
    assert (found.state, found.c2c_ns) == ("all", None)


@given(st.lists(st.floats(1, 1000), max_size=60))
def test_a_boundary_parts_latencies_into_two_states_that_lie_apart(latencies: list[float]) -> None:
    boundary = boundary_ns(latencies)
    if boundary is not None:
        below, above = [x for x in latencies if x < boundary], [x for x in latencies if x >= boundary]
        assert min(len(below), len(above)) >= ENOUGH
        assert min(above) / max(below) >= 1.499
