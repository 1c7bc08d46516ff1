"""The microbenchmark's ring, simulated: it carries what was put in, and false sharing costs what it must."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.simulation import native, reference
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, LayoutName, Structure, default
from lab.simulation.workload.message_ring import MESSAGES, RingShape, scene
from lab.simulation.workload.shape import Run
from tests.simulation.scenes import TIMING

SHAPE = RingShape(batch=1, entries=256, work_ps=4_000, pause_ps=20_000, transfer_ps=60_000, range_bytes=64)
RUN = Run(TIMING, seed=1, warm_ps=20_000_000, end_ps=80_000_000)


def messages(layout: LayoutName, shape: RingShape = SHAPE) -> int:
    outcome = native.simulate(scene(shape, default(layout, 4), RUN))
    put, taken = (outcome.stats[agent][MESSAGES] for agent in (0, 1))
    assert 0 <= put - taken <= shape.entries
    return outcome.window(1, MESSAGES)


def test_words_of_two_cores_in_one_line_cost_messages() -> None:
    assert 0 < messages("packed") < 0.7 * messages("padded")


def test_a_larger_batch_costs_fewer_transfers() -> None:
    assert messages("padded", replace(SHAPE, batch=32)) > 1.1 * messages("padded")


@pytest.mark.parametrize("entries", [2, 1024])
def test_rings_of_any_length_carry_messages(entries: int) -> None:
    assert messages("packed", replace(SHAPE, entries=entries, batch=64)) > 0


def test_the_kernels_agree() -> None:
    short = scene(SHAPE, default("packed", 4), replace(RUN, warm_ps=1_000_000, end_ps=6_000_000))
    assert native.simulate(short) == reference.simulate(short)


def test_a_layout_without_rings_is_refused() -> None:
    word = Structure(name="x", offset_bytes=0, size_bytes=8, element_stride_bytes=8, count=4, owner="core")
    with pytest.raises(SimulationError, match="no index matrices"):
        scene(SHAPE, Layout("packed", "here", (word,)), RUN)
