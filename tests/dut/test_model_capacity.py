"""The model's queue and capacity in time that is made up, so that every drop can be told beforehand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dut.capacity_in_c import ServerInC, build


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> ServerInC:
    return build(tmp_path_factory.mktemp("capacity"))


@given(gaps_us=st.lists(st.integers(0, 30), min_size=1, max_size=200), queue=st.integers(1, 20))
def test_a_frame_is_dropped_exactly_when_as_many_are_in_the_queue(
    server: ServerInC, gaps_us: list[int], queue: int
) -> None:
    """The queue of frames is kept here one by one; the server takes 10 us each."""
    server.begin(capacity_pps=100_000, queue_frames=queue)
    waiting: list[float] = []
    now_us = 0.0
    free_us = 0.0
    for gap in gaps_us:
        now_us += gap + 0.25  # never at the very moment at which a frame leaves
        waiting = [done for done in waiting if done > now_us]
        served = server.admit(now_us / 1e6)
        assert (served is None) == (len(waiting) >= queue)
        if served is not None:
            free_us = max(free_us, now_us) + 10
            waiting.append(free_us)
            assert served * 1e6 == pytest.approx(free_us)


def test_what_is_below_the_capacity_passes_and_what_is_above_is_cut_to_it(server: ServerInC) -> None:
    for rate_pps, expected in ((50_000, 50_000), (99_999, 99_999), (150_000, 100_000)):
        server.begin(capacity_pps=100_000, queue_frames=64)
        assert server.passed(rate_pps, 0, 1) == pytest.approx(expected, abs=64)


def capacities(server: ServerInC, intervals: int, **values: Any) -> list[float]:
    """Return the capacity in each interval of 10 ms as a share of the nominal one, from what passes in it."""
    server.begin(capacity_pps=100_000, queue_frames=8, **values)  # which never runs empty
    return [server.passed(200_000, at / 100, (at + 1) / 100) / 1000 for at in range(intervals)]


def test_noise_varies_the_capacity_from_interval_to_interval_as_it_is_said(server: ServerInC) -> None:
    found = capacities(server, 150, noise_ratio=0.1, seed=3)
    mean = sum(found) / len(found)
    deviation = (sum((one - mean) ** 2 for one in found) / len(found)) ** 0.5
    assert mean == pytest.approx(1, abs=0.05)
    assert deviation == pytest.approx(0.1, rel=0.25)
    assert capacities(server, 20, noise_ratio=0.1, seed=3) == found[:20]
    assert capacities(server, 20, noise_ratio=0.1, seed=4) != found[:20]


def test_a_slow_state_has_its_share_of_the_intervals(server: ServerInC) -> None:
    found = capacities(server, 150, slow_pps=25_000, slow_share=0.4)
    slow = [one for one in found if one < 0.5]
    assert len(slow) / len(found) == pytest.approx(0.4, abs=0.1)
    assert {round(one, 1) for one in slow} <= {0.2, 0.3}
    assert {round(one, 1) for one in found if one >= 0.5} == {1.0}


def test_after_overload_the_capacity_stays_low_until_the_load_is(server: ServerInC) -> None:
    server.begin(capacity_pps=100_000, queue_frames=64, overloaded_pps=40_000, recovery_pps=30_000)
    assert server.passed(90_000, 0, 1) == 90_000
    server.passed(120_000, 1, 2)
    assert server.passed(90_000, 2, 3) == pytest.approx(40_000, rel=0.02)  # what passed before does no more
    assert server.passed(20_000, 3, 4) == pytest.approx(20_000, abs=64)  # its queue runs empty
    assert server.passed(90_000, 4, 5) == 90_000


def test_without_a_capacity_all_passes_at_once(server: ServerInC) -> None:
    server.begin()
    assert [server.admit(at) for at in (0.0, 0.0, 0.5)] == [0.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (b"delay_us", b"1", b"unknown name"),
        (b"delay_ns", b"-1", b"no number of 0 or more"),
        (b"delay_ns", b"1x", b"no number of 0 or more"),
        (b"lose.frames", b"3,2", b"the list does not ascend"),
        (b"lose.frames", b"3,x", b"no list of numbers"),
    ],
)
def test_a_wrong_setting_is_refused(server: ServerInC, name: bytes, value: bytes, says: bytes) -> None:
    assert server.set(name, value) == says
