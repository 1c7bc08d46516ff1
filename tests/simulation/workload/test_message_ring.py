"""The microbenchmark's rings, simulated: they carry what was put in, and false sharing costs what it must."""

from __future__ import annotations

import pytest

from lab.simulation import machines, native, reference
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, LayoutName, Structure, default
from lab.simulation.workload.built import Built, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.message_ring import PUT, TAKEN, MessageRing

RING = Case(queue_length=256, batch=1, variant="ring")
WINDOW = Window(seed=1, warm_ps=20_000_000, end_ps=80_000_000)


def build(layout: LayoutName | Layout, case: Case = RING, window: Window = WINDOW) -> Built:
    """Build the median machine's scene with private work of 10 cycles a message."""
    machine = machines.load("e5-2670x2").with_work(10)
    numbers = {name: each.median for name, each in machine.ranges.items()}
    table = layout if isinstance(layout, Layout) else default(layout, 9)
    return MessageRing().build(machine, numbers, case, table, window)


def messages(layout: LayoutName, case: Case = RING) -> int:
    built = build(layout, case)
    outcome = native.simulate(built.scene)
    put, taken = (sum(stats[which] for stats in outcome.stats) for which in (PUT, TAKEN))
    rings = 1 if case.variant == "ring" else case.cores * (case.cores - 1)
    assert 0 <= put - taken <= rings * case.queue_length
    return sum(outcome.window(agent, TAKEN) for agent in built.counting)


@pytest.mark.parametrize("case", [RING, Case(cores=3, batch=4, variant="matrix")])
def test_words_of_two_cores_in_one_line_cost_messages(case: Case) -> None:
    assert 0 < messages("packed", case) < 0.7 * messages("padded", case)


def test_a_larger_batch_costs_fewer_transfers() -> None:
    assert messages("padded", RING.model_copy(update={"batch": 32})) > 1.1 * messages("padded")


@pytest.mark.parametrize("entries", [2, 1024])
def test_rings_of_any_length_carry_messages(entries: int) -> None:
    assert messages("packed", RING.model_copy(update={"queue_length": entries, "batch": 64})) > 0


def test_every_core_of_a_matrix_sends_to_every_other() -> None:
    built = build("padded", Case(cores=4, batch=8, variant="matrix"))
    outcome = native.simulate(built.scene)
    names = [name for name, count in zip(built.word_names, outcome.word_transactions, strict=True) if count]
    assert names.count("ring_tail") == 4 * 3
    assert all(stats[PUT] > 0 and stats[TAKEN] > 0 for stats in outcome.stats)


def test_the_kernels_agree() -> None:
    for case in (RING, Case(cores=3, batch=4, variant="matrix")):
        short = build("packed", case, Window(seed=3, warm_ps=1_000_000, end_ps=4_000_000)).scene
        assert native.simulate(short) == reference.simulate(short)


def test_what_cannot_be_built_is_refused() -> None:
    word = Structure(name="x", offset_bytes=0, size_bytes=8, element_stride_bytes=8, count=4, owner="core")
    with pytest.raises(SimulationError, match="no index matrices of 3 cores"):
        build(Layout("packed", "here", (word,)))
    with pytest.raises(SimulationError, match="9 cores; there must be 2 to 8"):
        build("packed", Case(cores=9, variant="matrix"))
    with pytest.raises(SimulationError, match="no variant 'rign'"):
        build("packed", Case(variant="rign"))
