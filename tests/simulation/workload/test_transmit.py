"""Workloads direct-tx and tx-batch: what is kept, what is never exceeded, and which way the numbers pull."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import UsageError
from lab.simulation import native, reference
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, default
from lab.simulation.machine import Machine
from lab.simulation.machines import load
from lab.simulation.scene import Outcome
from lab.simulation.workload import direct_tx, nic_receive, nic_send, transmit_queue
from lab.simulation.workload.built import Built, Numbers, Window, Workload
from lab.simulation.workload.case import Case
from lab.simulation.workload.catalogue import workload
from lab.simulation.workload.direct_tx import DirectTx, Load
from lab.simulation.workload.tx_batch import TxBatch

SHORT = Window(seed=3, warm_ps=10_000_000, end_ps=40_000_000)
NAMES = ("e5-2670x2", "i7-4770k", "xl710")


def middle(machine: Machine, **others: float) -> dict[str, float]:
    return {**{name: each.median for name, each in machine.ranges.items()}, **others}


def rate_pps(
    kind: Workload, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window = SHORT
) -> float:
    built = kind.build(machine, numbers, case, layout, window)
    return built.rate_pps(native.simulate(built.scene))


def total(outcome: Outcome, agents: range, stat: int) -> int:
    return sum(outcome.stats[agent][stat] for agent in agents)


def test_the_catalogue_has_both() -> None:
    assert isinstance(workload("direct-tx"), DirectTx)
    assert isinstance(workload("tx-batch"), TxBatch)


@settings(max_examples=8, deadline=None)
@given(
    draw=st.integers(0, 19),
    shape=st.sampled_from([(1, 1), (2, 2), (4, 2), (4, 4)]),
    queue_length=st.sampled_from([4, 16, 256]),
    name=st.sampled_from(["packed", "padded"]),
)
def test_once_ports_fall_silent_every_frame_was_sent_or_refused(
    draw: int, shape: tuple[int, int], queue_length: int, name: str
) -> None:
    (ports, cores), limit = shape, 60
    machine = load("e5-2670x2")
    case = Case(ports=ports, cores=cores, queue_length=queue_length, batch=min(queue_length, 32))
    layout = default(name, cores)  # type: ignore[arg-type]
    made, *_ = direct_tx.scene(
        machine,
        machine.draws(20, 1)[draw],
        case,
        layout,
        Window(seed=3, warm_ps=0, end_ps=100_000_000),
        Load(50_000, limit=limit),
    )
    outcome = native.simulate(made)
    of_cores = range(cores)
    receiving, sending = range(cores, cores + ports), range(cores + ports, cores + 2 * ports)
    delivered = total(outcome, receiving, nic_receive.DELIVERED)
    assert total(outcome, receiving, nic_receive.OFFERED) == ports * limit
    assert delivered + total(outcome, receiving, nic_receive.LOST) == ports * limit
    assert total(outcome, of_cores, direct_tx.RECEIVED) == delivered
    given_ = total(outcome, of_cores, transmit_queue.GIVEN)
    assert given_ + total(outcome, of_cores, transmit_queue.REFUSED) == delivered
    assert total(outcome, sending, nic_send.SENT) == given_ > 0
    assert total(outcome, sending, nic_send.EARLY) == 0
    assert sum(outcome.latency_counts) == given_


@settings(max_examples=6, deadline=None)
@given(draw=st.integers(0, 19), batch=st.sampled_from([1, 7, 32]), name=st.sampled_from(NAMES))
def test_while_it_runs_what_is_in_flight_fits_the_rings_and_no_cap_is_exceeded(
    draw: int, batch: int, name: str
) -> None:
    machine = load(name)
    assert machine.nics is not None
    cores = 4
    case = Case(ports=4, cores=cores, queue_length=64, batch=batch, line_rate_gbps=machine.nics.line_rate_gbps)
    numbers = machine.draws(20, 2)[draw]
    for kind in (DirectTx(), TxBatch()):
        built = kind.build(machine, numbers, case, default("packed", cores), SHORT)
        outcome = native.simulate(built.scene)
        held = total(outcome, range(cores), transmit_queue.GIVEN) - sum(
            outcome.stats[agent][nic_send.SENT] for agent in built.counting
        )
        assert 0 <= held <= 4 * cores * 64
        edge_pps = (
            (nic_send.RUN_AHEAD + 2) * case.ports / ((SHORT.end_ps - SHORT.warm_ps) * 1e-12)
        )  # frames of each port at either end
        for cap_pps in built.caps_pps.values():
            assert built.rate_pps(outcome) <= cap_pps + edge_pps


def test_larger_batches_are_never_slower_without_jitter() -> None:
    machine = load("i7-4770k")
    numbers = middle(machine, jitter=0.0)
    rates = [
        rate_pps(TxBatch(), machine, numbers, Case(ports=4, cores=1, batch=batch), default("padded", 1))
        for batch in (1, 2, 4, 8, 16, 32, 64)
    ]
    assert all(b >= a * 0.995 for a, b in pairwise(rates)), rates
    assert rates[-1] > 2 * rates[0]


def test_without_the_cost_of_doorbells_the_batch_does_not_matter() -> None:
    machine = load("i7-4770k")
    free = middle(machine, jitter=0.0, doorbell=0.0, tx_work=200.0)
    free["card_tx_single"] = free["card_tx"]
    one, many = (
        rate_pps(TxBatch(), machine, free, Case(ports=4, cores=1, batch=batch), default("padded", 1))
        for batch in (1, 64)
    )
    assert one == pytest.approx(many, rel=0.03)


def test_a_doorbell_each_costs_the_card_what_was_published() -> None:
    machine = load("i7-4770k")
    numbers = middle(machine, doorbell=0.0)
    late = Window(seed=3, warm_ps=40_000_000, end_ps=100_000_000)  # the rings fill at first, with a doorbell each
    single, batched = (
        rate_pps(TxBatch(), machine, numbers, Case(ports=2, cores=4, batch=batch), default("padded", 4), late)
        for batch in (1, 64)
    )
    # The two ports of one card cannot take more than their lines, which is less than the slot with shared doorbells.
    assert single == pytest.approx(numbers["card_tx_single"] * 1e6, rel=0.05)
    assert batched == pytest.approx(2 * 14.88e6, rel=0.02)


def test_soft_heads_and_tails_side_by_side_cost_direct_tx() -> None:
    machine = load("e5-2670x2")
    case = Case(ports=8, cores=8)
    packed, padded = (
        rate_pps(DirectTx(), machine, middle(machine), case, default(name, 8)) for name in ("packed", "padded")
    )
    assert packed < 0.8 * padded


def test_what_is_offered_below_capacity_is_sent() -> None:
    machine = load("e5-2670x2")
    case = Case(ports=4, cores=4, offered_pps=4e6)
    sent = rate_pps(DirectTx(), machine, middle(machine), case, default("padded", 4))
    assert sent == pytest.approx(4e6, rel=0.05)


def test_reference_and_kernel_agree() -> None:
    machine = load("e5-2670x2")
    case = Case(ports=2, cores=2, queue_length=16, batch=8)
    short = Window(seed=1, warm_ps=1_000_000, end_ps=4_000_000)

    def built(kind: Workload) -> Built:
        return kind.build(machine, middle(machine), case, default("packed", 2), short)

    for kind in (DirectTx(), TxBatch()):
        scene = built(kind).scene
        assert native.simulate(scene) == reference.simulate(scene)


@pytest.mark.parametrize(
    ("kind", "case", "says"),
    [
        (DirectTx(), Case(ports=2, cores=4), "4 cores for 2 ports"),
        (DirectTx(), Case(ports=32, cores=4), "at most 16 ports"),
        (TxBatch(), Case(ports=32, cores=4), "at most 16 ports"),
        (DirectTx(), Case(ports=4, cores=4, variant="cached"), "no variant 'cached'"),
        (TxBatch(), Case(ports=4, cores=4, variant="cached"), "no variant 'cached'"),
        (TxBatch(), Case(ports=4, cores=1, batch=64, queue_length=32), "no larger batch"),
        (TxBatch(), Case(ports=4, cores=1, offered_pps=1e6), "leave out the offered load"),
    ],
)
def test_a_case_that_does_not_fit_is_refused_in_one_line(kind: Workload, case: Case, says: str) -> None:
    machine = load("e5-2670x2")
    with pytest.raises(SimulationError, match=says) as error:
        kind.build(machine, middle(machine), case, default("padded", 4), SHORT)
    assert "\n" not in str(error.value)


def test_a_machine_without_nics_is_refused() -> None:
    machine = load("e5-2670x2")
    bare = replace(machine, ranges={name: each for name, each in machine.ranges.items() if name != "doorbell"})
    with pytest.raises(UsageError, match="doorbell"):
        DirectTx().build(bare, middle(bare), Case(), default("padded", 8), SHORT)


def test_what_most_of_the_scene_waits_for_is_named() -> None:
    machine = load("e5-2670x2")
    for more, name in ({"card": 4.0}, "pcie"), ({"device": 3.0}, "device"), ({"work": 2000.0}, None):
        built = DirectTx().build(machine, middle(machine, **more), Case(ports=4, cores=4), default("padded", 4), SHORT)
        assert built.busy(native.simulate(built.scene)) == name
