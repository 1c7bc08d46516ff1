"""The microbenchmark's transmit queue, simulated: no frame is lost or made up."""

from __future__ import annotations

import pytest

from lab.simulation import machines, native, reference
from lab.simulation.layout import LayoutName, default
from lab.simulation.workload.built import Built, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.virtio_tx import POSTED, RETURNED, VirtioTx


def build(case: Case, layout: LayoutName = "packed", end_ps: int = 60_000_000) -> Built:
    machine = machines.load("e5-2670x2").with_work(10)
    numbers = {name: each.median for name, each in machine.ranges.items()}
    window = Window(seed=1, warm_ps=end_ps // 4, end_ps=end_ps)
    return VirtioTx().build(machine, numbers, case, default(layout, 9), window)


@pytest.mark.parametrize("entries", [2, 256])
@pytest.mark.parametrize("batch", [1, 64])
def test_the_device_returns_what_was_posted(entries: int, batch: int) -> None:
    built = build(Case(queue_length=entries, batch=batch))
    outcome = native.simulate(built.scene)
    posted, returned = outcome.stats[0][POSTED], outcome.stats[1][RETURNED]
    assert 0 < returned <= posted <= returned + entries
    assert built.rate_pps(outcome) > 0


def test_a_larger_batch_costs_fewer_transfers() -> None:
    rates = [(built := build(Case(batch=batch))).rate_pps(native.simulate(built.scene)) for batch in (1, 32)]
    assert rates[1] > 1.05 * rates[0]


def test_the_words_of_the_image_are_named() -> None:
    names = build(Case()).word_names
    assert {"tx.descriptor", "tx.available.index", "tx.used.entry", "pool_head"} <= set(names)
    assert "" not in names


def test_the_kernels_agree() -> None:
    short = build(Case(batch=4), end_ps=4_000_000).scene
    assert native.simulate(short) == reference.simulate(short)
