"""Reordering: the examples of RFC 4737, and a plain reading of its text on random sequences."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.methods.trial import ReorderingRecord
from lab.metrics.reordering import Sequence, analyse, reordering_record


def array(*numbers: int) -> Sequence:
    return np.array(numbers, dtype=np.uint32)


def plain(arrivals: list[int]) -> tuple[int, int, list[int]]:
    """Duplicates, reordered and the extents in order of arrival, word by word from sections 3.3, 3.4 and 4.2."""
    seen: list[int] = []
    next_expected = 0
    duplicates = 0
    extents = []
    for number in arrivals:
        if number in seen:
            duplicates += 1
            continue
        if number >= next_expected:
            next_expected = number + 1
        else:
            earliest = next(j for j, earlier in enumerate(seen) if earlier > number)
            extents.append(len(seen) - earliest)
        seen.append(number)
    return duplicates, len(extents), extents


@pytest.mark.parametrize(
    ("arrivals", "extents"),
    [
        pytest.param((1, 2, 3, 5, 6, 7, 8, 4, 9, 10), ((4, 1),), id="7.1-packet-4"),
        pytest.param((1, 2, 3, 4, 7, 5, 6, 8, 9, 10), ((1, 1), (2, 1)), id="7.2-packets-5-and-6"),
        pytest.param((1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11), ((4, 1), (5, 1), (6, 1)), id="7.3-packets-4-5-and-6"),
    ],
)
def test_the_examples_of_rfc_4737(arrivals: tuple[int, ...], extents: tuple[tuple[int, int], ...]) -> None:
    found = analyse(array(*arrivals))
    assert found.extents == extents
    assert found.reordered == len(extents)
    assert found.ratio == len(extents) / len(arrivals)


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=80))
def test_equals_a_plain_reading_of_the_rfc(arrivals: list[int]) -> None:
    found = analyse(array(*arrivals))
    duplicates, reordered, extents = plain(arrivals)
    assert (found.duplicates, found.reordered) == (duplicates, reordered)
    assert sorted(e for e, count in found.extents for _ in range(count)) == sorted(extents)
    assert found.extent_max == max(extents, default=0)
    assert found.extent_mean == pytest.approx(sum(extents) / len(extents) if extents else 0.0)


def record(arrivals: Sequence, sent: int, received: int | None = None) -> ReorderingRecord:
    return reordering_record(
        arrivals, sent=sent, tx_port=0, rx_port=1, complete=received is None, source="test", received=received
    )


def test_loss_alone_is_no_reordering_and_duplicates_do_not_hide_loss() -> None:
    made = record(array(0, 2, 2, 3, 5), sent=6)
    assert (made.received, made.reordered, made.duplicates, made.lost, made.complete) == (5, 0, 1, 2, True)


def test_with_an_overflowed_buffer_the_loss_comes_from_the_counters() -> None:
    made = record(array(0, 1, 3, 2), sent=10, received=9)
    assert (made.complete, made.lost, made.reordered, made.ratio) == (False, 1, 1, 0.25)


def test_nothing_arrived() -> None:
    made = record(array(), sent=10)
    assert (made.lost, made.ratio, made.extent_max, made.extent_mean) == (10, 0.0, 0, 0.0)


def test_a_number_that_was_never_sent_is_refused() -> None:
    with pytest.raises(ValueError, match="sequence number 10 arrived on port 1"):
        record(array(10), sent=10)


def test_a_million_arrivals_are_no_matter_of_minutes() -> None:
    random = np.random.default_rng(1)
    arrivals = np.arange(1_000_000, dtype=np.uint32)
    for start in random.integers(0, 999_000, 2000):
        random.shuffle(arrivals[start : start + 50])
    begin = time.process_time()
    assert analyse(arrivals).reordered > 10_000
    assert time.process_time() - begin < 60  # an O(n^2) method takes hours
