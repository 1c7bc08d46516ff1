"""QGMs between virtio ports, as the image's accesses have them: nothing is lost uncounted, and latency adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from lab.errors import UsageError
from lab.simulation import buckets, machines, native, reference
from lab.simulation.errors import SimulationError
from lab.simulation.layout import LayoutName, default
from lab.simulation.scene import Outcome
from lab.simulation.workload import generator
from lab.simulation.workload.built import Built, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.qgm_plan import CROSSED, FORWARDED, QUEUE_FULL, RECEIVED
from lab.simulation.workload.virtio_forwarding import Virtio

MACHINE = machines.load("e5-2670x2")
NUMBERS = {name: each.median for name, each in MACHINE.ranges.items()}
STILL = {**NUMBERS, "jitter": 0.0}
WINDOW = Window(seed=1, warm_ps=20_000_000, end_ps=80_000_000)
CASE = Case(ports=4, cores=2, placement="near")
LIMIT = 700


def run(
    case: Case, layout: LayoutName = "padded", numbers: Mapping[str, float] = NUMBERS, limit: int = 0
) -> tuple[Built, Outcome]:
    window = WINDOW if not limit else Window(seed=1, warm_ps=0, end_ps=400_000_000)
    built = Virtio(limit=limit).build(MACHINE, numbers, case, default(layout, case.cores), window)
    return built, native.simulate(built.scene)


def misses(built: Built, outcome: Outcome) -> Counter[str]:
    """Return line transactions by structure."""
    found: Counter[str] = Counter()
    for name, count in zip(built.word_names, outcome.word_transactions, strict=True):
        found[name] += count
    return found


@pytest.mark.parametrize("layout", ["padded", "packed"])
@pytest.mark.parametrize("offered_pps", [None, 40e6])
def test_every_frame_is_accounted_for(layout: LayoutName, offered_pps: float | None) -> None:
    _, outcome = run(CASE.model_copy(update={"offered_pps": offered_pps}), layout, limit=LIMIT)
    offered, delivered, lost, collected = outcome.stats[2][:4]
    received, forwarded, full, crossed = (
        sum(outcome.stats[core][i] for core in (0, 1)) for i in (RECEIVED, FORWARDED, QUEUE_FULL, CROSSED)
    )
    assert offered == 4 * LIMIT == delivered + lost
    assert delivered == received == forwarded + full
    assert collected == forwarded  # nothing is left once the generator has fallen silent
    assert crossed == 0
    assert sum(outcome.latency_counts) == collected


def test_what_is_offered_comes_through_while_there_is_room() -> None:
    built, outcome = run(CASE.model_copy(update={"offered_pps": 2e6}))
    assert built.rate_pps(outcome) == pytest.approx(2e6, rel=0.03)
    assert outcome.stats[2][generator.LOST] == 0


def test_an_overloaded_qgm_loses_frames_where_they_arrive() -> None:
    slow = {**NUMBERS, "work": 2000.0}
    _, outcome = run(CASE.model_copy(update={"offered_pps": 40e6}), numbers=slow)
    assert outcome.stats[2][generator.LOST] > 0


def latency_ps(near_ns: float, work_cycles: float) -> int:
    numbers = {**STILL, "near": near_ns, "work": work_cycles, "overlap": 0.0}
    _, outcome = run(Case(ports=2, cores=1, placement="near", offered_pps=5e5), numbers=numbers)
    median = buckets.percentile(outcome.latency_counts, 0.5)
    assert median is not None
    return median


def test_latency_at_low_load_is_the_sum_of_its_parts() -> None:
    """Transfers one after the other: used index, entry or frame, available index, frame; and polling on both sides."""
    transfer = NUMBERS["near"] * 1000
    latency, farther = latency_ps(NUMBERS["near"], 200), latency_ps(2 * NUMBERS["near"], 200)
    worked = latency_ps(NUMBERS["near"], 600)
    work_ps = 400 * 1000 / NUMBERS["clock"]
    assert 3 * transfer <= latency - 200 * 1000 / NUMBERS["clock"] <= 10 * transfer
    assert 3 * transfer <= farther - latency <= 10 * transfer
    assert worked - latency == pytest.approx(work_ps, rel=0.25)


def test_in_padded_nothing_is_transferred_but_what_is_handed_over() -> None:
    padded = misses(*run(CASE, "padded"))
    packed = misses(*run(CASE, "packed"))
    words = ("packets", "pool_head", "soft_head")
    assert [padded[word] for word in words] == [0, 0, 0]
    assert all(packed[word] > 0 for word in words)
    assert padded["rx.used.flags"] + padded["rx.used.index"] > 0  # one line: whoever looks first asks for it
    assert padded["tx.available.index"] > 0
    assert padded["ring_head"] == padded["ring.slot"] == 0  # pairs of ports do not cross


def test_the_generator_farther_away_lowers_the_rate() -> None:
    def rate(near_ns: float) -> float:
        built, outcome = run(Case(ports=2, cores=1, placement="near"), numbers={**NUMBERS, "near": near_ns})
        return built.rate_pps(outcome)

    assert rate(150) < rate(80) < rate(20)


def test_the_kernels_agree() -> None:
    window = Window(seed=1, warm_ps=2_000_000, end_ps=7_000_000)
    scene = Virtio().build(MACHINE, NUMBERS, CASE, default("packed", 2), window).scene
    outcome = native.simulate(scene)
    assert outcome == reference.simulate(scene)
    assert outcome.accesses > 1000


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SimulationError, match="3 cores for 4 ports"):
        run(Case(ports=4, cores=3))
    with pytest.raises(SimulationError, match="no variant 'x'"):
        run(Case(ports=4, cores=2, variant="x"))
    with pytest.raises(UsageError, match="9 cores"):
        run(Case(ports=16, cores=8, placement="near"))
