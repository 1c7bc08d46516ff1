"""The accumulator at its bounds: what is beyond a window, wrong input, and long streams in little memory."""

import tracemalloc

import numpy as np
import pytest

from lab.metrics.order.accumulator import OrderAccumulator


def test_nothing_came() -> None:
    found = OrderAccumulator().result()
    assert (found.arrivals, found.reordered, found.ratio) == (0, 0, 0.0)
    assert found.extent.percentile(50) is None
    assert found.displacement.shares == found.occupancy.shares == ()
    assert found.n_reordering.ratio(1) == 0.0


def test_without_times_and_sizes_there_are_none_in_the_result() -> None:
    accumulator = OrderAccumulator()
    accumulator.add(np.array([0, 2, 1]))
    found = accumulator.result(complete=False)
    assert (found.late_time_ns, found.byte_offset, found.gap_time_ns) == (None, None, None)
    assert (found.reordered, found.complete) == (1, False)


def test_what_comes_beyond_the_window_is_counted_by_itself() -> None:
    accumulator = OrderAccumulator(window=4)
    accumulator.add(np.array([0, 1, 9, 2, 5, 6, 6]))
    found = accumulator.result()
    assert (found.too_old, found.duplicates, found.judged, found.reordered) == (2, 1, 4, 1)
    assert found.extent.counts == ((1, 1),)


@pytest.mark.parametrize(
    ("numbers", "times", "sizes", "message"),
    [
        ([0, 1], [5], None, "1 times for 2 arrivals"),
        ([0, 1], None, [1, 2, 3], "3 sizes for 2 arrivals"),
        ([0, -1], None, None, "count from 0: -1"),
    ],
)
def test_wrong_arrays_are_refused(
    numbers: list[int], times: list[int] | None, sizes: list[int] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        OrderAccumulator().add(
            np.array(numbers),
            None if times is None else np.array(times),
            None if sizes is None else np.array(sizes),
        )


def test_times_come_with_all_arrivals_or_with_none() -> None:
    accumulator = OrderAccumulator()
    accumulator.add(np.array([0]), np.array([7]))
    with pytest.raises(ValueError, match="with every arrival or with none"):
        accumulator.add(np.array([1]))


@pytest.mark.parametrize(("window", "threshold"), [(0, 1), (1, 0)])
def test_a_window_of_nothing_is_refused(window: int, threshold: int) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        OrderAccumulator(window=window, threshold=threshold)


def test_large_values_are_counted_to_a_thousandth() -> None:
    delay = 1_234_567
    accumulator = OrderAccumulator(window=2 * delay)
    accumulator.add(np.concatenate((np.arange(1, delay + 1), [0])))
    found = accumulator.result().extent
    assert (found.count, found.min, found.max, found.mean) == (1, delay, delay, delay)
    ((bucket, count),) = found.counts
    assert count == 1
    assert bucket <= delay < bucket * (1 + 1 / 1024)


def test_a_leap_of_several_windows_leaves_no_trace_of_what_came_before() -> None:
    accumulator = OrderAccumulator(window=4)
    accumulator.add(np.array([0, 1, 2, 13, 10]))
    found = accumulator.result()
    assert (found.duplicates, found.too_old, found.reordered) == (0, 0, 1)


def test_memory_does_not_grow_with_the_stream() -> None:
    """The second half of a long stream takes nothing more, though a tenth of it is late and some is lost."""
    random = np.random.default_rng(1)
    accumulator = OrderAccumulator(window=512, threshold=16)
    part = 5000

    def feed(turn: int) -> None:
        numbers = np.arange(turn * part, (turn + 1) * part)
        late = random.integers(0, 40, part) * (random.random(part) < 0.1)
        arrivals = numbers[np.argsort(numbers + late, kind="stable")]
        arrivals = arrivals[arrivals % 100 != 3]
        accumulator.add(arrivals, arrivals, 64)

    tracemalloc.start()
    try:
        for turn in range(5):
            feed(turn)
        half_way, _ = tracemalloc.get_traced_memory()
        for turn in range(5, 10):
            feed(turn)
        whole, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert whole < half_way + 20_000
    assert accumulator.result().reordered > 0
