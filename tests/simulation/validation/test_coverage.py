"""Check 7 can fail: overconfident intervals are refused."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from lab.simulation.prediction import Band
from lab.simulation.validation.coverage import bounds, coverage, held_by, hidden_pps, questions, verdict


def test_hidden_machines_lie_inside_as_often_as_claimed() -> None:
    rings = [replace(question, window_us=60.0) for question in questions() if question.workload != "ipv4-routing"]
    found = coverage(rings, jobs=2)
    assert found.holds, found
    assert len(found.detail) == 2


def test_intervals_of_half_the_width_are_refused() -> None:
    fewest, _ = bounds(40)
    assert verdict(fewest, 40, ()).holds
    assert not verdict(fewest - 1, 40, ()).holds
    generator = Random(1)
    truths = [generator.gauss(0, 1) for _ in range(40)]
    assert verdict(held_by(Band(low=-1.645, median=0, high=1.645), truths), 40, ()).holds
    assert not verdict(held_by(Band(low=-0.82, median=0, high=0.82), truths), 40, ()).holds


def test_hidden_machines_are_not_those_of_the_prediction() -> None:
    question = replace(questions()[3], window_us=20.0)
    assert len(set(hidden_pps(question, 1))) == 10


@pytest.mark.parametrize("count", [20, 40])
def test_bounds_are_those_of_chance(count: int) -> None:
    fewest, most = bounds(count)
    assert 0.7 * count <= fewest < 0.9 * count <= most <= count
