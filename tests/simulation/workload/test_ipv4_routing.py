"""QGMs that route between NICs, as the image's accesses have them: nothing is lost uncounted, and sharing costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest

from lab.errors import UsageError
from lab.simulation import accesses, buckets, machines, native, reference
from lab.simulation.accesses import Block, Step
from lab.simulation.errors import SimulationError
from lab.simulation.layout import LayoutName, default
from lab.simulation.scene import Outcome
from lab.simulation.workload import nic_receive
from lab.simulation.workload.built import Built, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.ipv4_routing import Ipv4Routing
from lab.simulation.workload.nic_send import EARLY, SENT
from lab.simulation.workload.qgm_plan import CROSSED, FORWARDED, PASSED, QUEUE_FULL, RECEIVED, RING_FULL, TAKEN

MACHINE = machines.load("e5-2670x2")
NUMBERS = {name: each.median for name, each in MACHINE.ranges.items()}
WINDOW = Window(seed=1, warm_ps=20_000_000, end_ps=80_000_000)
CASE = Case(ports=4, cores=4)
LIMIT = 500


def run(
    case: Case,
    layout: LayoutName = "padded",
    numbers: Mapping[str, float] = NUMBERS,
    workload: Ipv4Routing | None = None,
    window: Window = WINDOW,
) -> tuple[Built, Outcome]:
    built = (workload or Ipv4Routing()).build(MACHINE, numbers, case, default(layout, case.cores), window)
    return built, native.simulate(built.scene)


def total(outcome: Outcome, agents: range, stat: int) -> int:
    return sum(outcome.stats[agent][stat] for agent in agents)


@pytest.mark.parametrize("layout", ["padded", "packed"])
@pytest.mark.parametrize(
    "case", [CASE, Case(ports=4, cores=2), Case(ports=4, cores=1), Case(ports=4, cores=4, batch=1)]
)
def test_every_packet_is_accounted_for(layout: LayoutName, case: Case) -> None:
    silent = Window(seed=1, warm_ps=0, end_ps=600_000_000)
    _, outcome = run(case, layout, workload=Ipv4Routing(limit=LIMIT), window=silent)
    cores, inputs = range(case.cores), range(case.cores, case.cores + 4)
    outputs = range(case.cores + 4, case.cores + 8)
    received, forwarded = total(outcome, cores, RECEIVED), total(outcome, cores, FORWARDED)
    dropped = total(outcome, cores, RING_FULL) + total(outcome, cores, QUEUE_FULL)
    delivered = total(outcome, inputs, nic_receive.DELIVERED)
    assert total(outcome, inputs, nic_receive.OFFERED) == 4 * LIMIT
    assert delivered + total(outcome, inputs, nic_receive.LOST) == 4 * LIMIT
    assert delivered == received == forwarded + dropped
    assert total(outcome, cores, PASSED) == forwarded
    assert total(outcome, cores, CROSSED) == total(outcome, cores, TAKEN)
    assert total(outcome, outputs, SENT) == forwarded == sum(outcome.latency_counts)
    assert total(outcome, outputs, EARLY) == 0


def test_packets_cross_to_any_core() -> None:
    _, outcome = run(CASE)
    received, crossed = total(outcome, range(4), RECEIVED), total(outcome, range(4), CROSSED)
    assert crossed / received == pytest.approx(3 / 4, abs=0.05)


def test_ports_that_ask_for_little_get_all_of_it() -> None:
    built, outcome = run(CASE.model_copy(update={"offered_pps": 4e6}))
    assert built.rate_pps(outcome) == pytest.approx(4e6, rel=0.05)


def test_latency_grows_with_load() -> None:
    def median_ps(offered_pps: float) -> int:
        _, outcome = run(CASE.model_copy(update={"offered_pps": offered_pps}))
        median = buckets.percentile(outcome.latency_counts, 0.5)
        assert median is not None
        return median

    low = median_ps(1e6)
    work_ps = NUMBERS["work"] * 1000 / NUMBERS["clock"]
    assert work_ps + 3 * NUMBERS["shared_cache"] * 1000 / NUMBERS["clock"] < low < 2_000_000
    assert median_ps(40e6) > 3 * low


def test_private_words_of_many_cores_in_one_line_cost_throughput() -> None:
    rates = {}
    for layout in ("padded", "packed"):
        built, outcome = run(CASE, layout)
        rates[layout] = built.rate_pps(outcome)
    assert rates["packed"] < 0.7 * rates["padded"]


def test_in_padded_only_what_is_handed_over_is_transferred() -> None:
    built, outcome = run(CASE)
    found: Counter[str] = Counter()
    for name, count in zip(built.word_names, outcome.word_transactions, strict=True):
        found[name] += count
    assert found["packets"] == found["pool_head"] == found["soft_head"] == 0
    crossed = sum(outcome.window(core, CROSSED) for core in range(4))
    assert found["ring_tail"] <= 2.5 * crossed  # default layouts call the producer's index so
    assert crossed / 4 <= found["ring.slot"] <= 4 * crossed


def test_one_core_alone_takes_the_cycles_a_packet_that_it_was_given() -> None:
    built, outcome = run(Case(ports=4, cores=1), numbers={name: NUMBERS[name] for name in NUMBERS if name != "card"})
    cycles = NUMBERS["clock"] * 1e9 / built.rate_pps(outcome)
    assert cycles == pytest.approx(NUMBERS["work"], rel=0.05)


def without(steps: tuple[Step, ...], structure: str) -> tuple[Step, ...]:
    """Return steps that do not access a structure."""
    return tuple(
        replace(step, do=without(step.do, structure)) if isinstance(step, Block) else step
        for step in steps
        if isinstance(step, Block) or step.structure != structure
    )


def test_what_the_description_does_not_say_is_not_simulated() -> None:
    description = accesses.load()
    less = replace(description, turn=without(description.turn, "core.pool_head"))
    for workload, is_touched in ((Ipv4Routing(), True), (Ipv4Routing(description=less), False)):
        built, outcome = run(CASE, "packed", workload=workload)
        word = built.word_names.index("pool_head")
        assert (sum(outcome.word_transactions[word : word + 4]) > 0) == is_touched


def test_the_kernels_agree() -> None:
    short = Window(seed=1, warm_ps=2_000_000, end_ps=6_000_000)
    scene = Ipv4Routing().build(MACHINE, NUMBERS, CASE, default("packed", 4), short).scene
    outcome = native.simulate(scene)
    assert outcome == reference.simulate(scene)
    assert outcome.accesses > 1000


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SimulationError, match="5 cores for 4 ports"):
        run(Case(ports=4, cores=5))
    with pytest.raises(SimulationError, match="no variant 'x'"):
        run(Case(ports=4, cores=2, variant="x"))
    with pytest.raises(UsageError, match="no network cards"):
        name = "epyc-7r13x2"
        machine = machines.load(name)
        numbers = {each: value.median for each, value in machine.ranges.items()}
        Ipv4Routing().build(machine, numbers, CASE, default("padded", 4), WINDOW)
