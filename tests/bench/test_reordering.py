"""The bench of reordering runs, and its streams are as reordered as they say."""

from lab.bench.reordering import STREAMS, reordering, stream
from lab.metrics.order.accumulator import order_detail


def test_the_bench_prints_a_line_a_stream() -> None:
    lines = list(reordering(packets=2000, sample=60, runs=1))
    assert [line.bench for line in lines] == ["reordering:in order", "reordering:a tenth delayed", "reordering"]
    assert all(line.value > 0 and line.ratio > 0 and line.runs == 1 for line in lines)


def test_the_streams_are_reordered_lossy_and_have_copies() -> None:
    found = {name: order_detail(stream(20_000, delayed)) for name, delayed in STREAMS.items()}
    assert found["in order"].reordered == 0
    assert 0.05 < found["a tenth delayed"].ratio < 0.2
    assert found["all delayed"].ratio > 0.7
    for detail in found.values():
        assert detail.duplicates > 0
        assert detail.judged < 20_000
