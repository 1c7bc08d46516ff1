"""Work side by side: in order, and the first failure is told."""

from __future__ import annotations

import threading

import pytest

from lab.simulation.prediction.parallel import in_parallel


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_answers_come_in_the_order_of_the_questions(jobs: int) -> None:
    assert in_parallel(lambda n: n * n, range(20), jobs) == [n * n for n in range(20)]


def test_as_many_run_at_a_time_as_were_asked_for() -> None:
    meeting = threading.Barrier(3, timeout=20)
    assert in_parallel(lambda _: meeting.wait() >= 0, range(6), 3) == [True] * 6


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_first_failure_is_told(jobs: int) -> None:
    def work(n: int) -> int:
        if n >= 4:
            raise ValueError(f"item {n}")
        return n

    with pytest.raises(ValueError, match="item 4"):
        in_parallel(work, range(8), jobs)
