"""Check 4 says what it finds, whether it holds or not."""

from dataclasses import replace

import pytest

from lab.simulation.machines import load
from lab.simulation.validation import published_queues as check
from lab.simulation.workload.built import Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.spsc import Spsc, queue_layout


def test_each_published_queue_is_compared_and_the_verdict_follows_from_the_worst() -> None:
    found = check.spsc_queues(draws=2)
    assert found.number == 4
    assert len(found.detail) == len(check.PUBLISHED)
    assert found.value is not None
    assert found.holds == (found.value <= check.WITHIN)
    assert sum("outside" in line for line in found.detail) == 0 or not found.holds


def test_a_queue_that_was_measured_at_what_is_predicted_holds_and_one_far_off_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = check.PUBLISHED[0]
    machine = load(check.MACHINE)
    at = check.predicted(check.with_own_work(machine, one), one, 2)
    monkeypatch.setattr(check, "PUBLISHED", (replace(one, rate_pps=at),))
    assert check.spsc_queues(draws=2).holds
    monkeypatch.setattr(check, "PUBLISHED", (replace(one, rate_pps=at * 1.7),))
    found = check.spsc_queues(draws=2)
    assert not found.holds
    assert found.value == pytest.approx(1.7)
    assert "outside" in found.detail[0]


def test_work_of_a_message_on_one_core_slows_a_queue_down_and_is_not_counted_twice() -> None:
    machine = load(check.MACHINE)
    bare = check.predicted(machine, check.PUBLISHED[0], 2)
    slow = check.predicted(check.with_own_work(machine, check.PUBLISHED[0]), check.PUBLISHED[0], 2)
    assert slow < bare
    assert slow < check.PUBLISHED[0].one_core_pps * 2
    numbers, window = machine.draws(1, 1)[0], Window(seed=1, warm_ps=0, end_ps=1_000_000)
    least, same, more = (
        Spsc().build(machine, {**numbers, **message}, Case(placement="near"), queue_layout(128), window).scene
        for message in ({}, {"message": 1.0}, {"message": 20.0})
    )
    assert least == same != more
