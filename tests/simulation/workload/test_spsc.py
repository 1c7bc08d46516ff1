"""Rings between two cores: they lose nothing, keep order, and cost what they must."""

from typing import get_args

import pytest

from lab.simulation import native, reference
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, default
from lab.simulation.workload.built import Built, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.catalogue import workload
from lab.simulation.workload.spsc import MESSAGES, WRONG, Spsc, Variant, queue_layout
from tests.simulation.workload.machines import machine_at

WINDOW = Window(seed=3, warm_ps=10_000_000, end_ps=60_000_000)
VARIANTS = get_args(Variant)


def built(case: Case, apart_bytes: int = 128, latency_ns: float = 60, window: Window = WINDOW) -> Built:
    return Spsc().build(*machine_at(latency_ns, pair=0), case, queue_layout(apart_bytes), window)


def case(variant: str, batch: int = 1, entries: int = 256) -> Case:
    return Case(placement="near", variant=variant, batch=batch, queue_length=entries)


def rate(variant: str, batch: int = 1, apart_bytes: int = 128, latency_ns: float = 60) -> float:
    ring = built(case(variant, batch), apart_bytes, latency_ns)
    return ring.rate_pps(native.simulate(ring.scene))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("apart_bytes", [8, 128])
@pytest.mark.parametrize(("batch", "entries"), [(1, 2), (1, 256), (4, 4), (16, 256), (64, 16)])
def test_every_message_arrives_once_and_in_order(variant: str, apart_bytes: int, batch: int, entries: int) -> None:
    outcome = native.simulate(built(case(variant, batch, entries), apart_bytes).scene)
    put, taken = (outcome.stats[agent][MESSAGES] for agent in (0, 1))
    assert 0 < taken <= put <= taken + entries
    assert outcome.stats[1][WRONG] == 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_kernels_agree(variant: str) -> None:
    scene = built(case(variant, 4), 8, window=Window(1, 1_000_000, 4_000_000)).scene
    assert native.simulate(scene) == reference.simulate(scene)


def test_far_rings_are_slower() -> None:
    assert rate("lamport", latency_ns=106) < rate("lamport", latency_ns=26)


def test_caching_the_opposite_index_pays() -> None:
    assert rate("cached") > 1.3 * rate("lamport")  # twofold and more is for check 3, over all draws


def test_odd_seeds_begin_with_a_full_ring() -> None:
    """Before the consumer of an odd one takes anything, the producer has put all that the ring holds."""
    taken = {}
    for seed in (2, 3):
        ring = built(case("cached", entries=16), window=Window(seed, warm_ps=10_000_000, end_ps=235_000))
        put, taken[seed] = (stats[MESSAGES] for stats in native.simulate(ring.scene).stats)
    assert taken[2] > 0
    assert (put, taken[3]) == (16, 0)


def test_a_larger_batch_publishes_less_often() -> None:
    assert rate("cached", 64) > rate("cached", 1)
    assert rate("batched", 64) > rate("lamport", 64)


def test_it_runs_on_the_layout_of_an_image_or_the_default() -> None:
    ring = Spsc().build(*machine_at(60), case("cached"), default("packed", 4), WINDOW)
    assert ring.rate_pps(native.simulate(ring.scene)) > 0
    assert len(ring.word_names) == len(ring.scene.word_lines)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SimulationError, match="did you mean 'lamport'"):
        built(case("lamprt"))
    with pytest.raises(SimulationError, match="no index of a ring's producer"):
        Spsc().build(*machine_at(60), case("cached"), Layout("packed", "nothing", ()), WINDOW)


def test_the_catalogue_knows_it() -> None:
    assert workload("spsc").name == "spsc"
