"""Check 7 can fail: overconfident intervals are refused."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from lab.simulation.prediction import Band
from lab.simulation.validation.coverage import bounds, held_by, hidden_machines, hidden_pps, judged, questions
from lab.simulation.validation.host_coverage import Covered

NOTHING = Covered(0, 0, ())


def test_hidden_machines_lie_inside_as_often_as_claimed() -> None:
    rings = [replace(question, window_us=60.0) for question in questions() if question.workload != "ipv4-routing"]
    found = hidden_machines(rings, jobs=2)
    assert found.count == 20
    assert judged(found, NOTHING).holds, found
    assert len(found.detail) == 2


def test_intervals_of_half_the_width_are_refused() -> None:
    fewest, _ = bounds(40)
    generator = Random(1)
    truths = [generator.gauss(0, 1) for _ in range(40)]
    right, narrow = (held_by(Band(low=-width, median=0, high=width), truths) for width in (1.645, 0.82))
    assert judged(Covered(40, right, ()), NOTHING).holds
    assert not judged(Covered(40, narrow, ()), NOTHING).holds
    assert not judged(Covered(40, fewest - 1, ()), NOTHING).holds
    assert not judged(Covered(40, right, ()), Covered(14, 4, ())).holds  # this host is as little foreseen


def test_hidden_machines_are_not_those_of_the_prediction() -> None:
    question = replace(questions()[3], window_us=20.0)
    assert len(set(hidden_pps(question, 1))) == 10


@pytest.mark.parametrize("count", [20, 40])
def test_bounds_are_those_of_chance(count: int) -> None:
    fewest, most = bounds(count)
    assert 0.7 * count <= fewest < 0.9 * count <= most <= count
