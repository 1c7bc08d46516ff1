"""Forwarding workloads lose nothing that they do not count, and show false sharing where there is some."""

from dataclasses import replace

import pytest

from lab.simulation import native, reference
from lab.simulation.errors import SimulationError
from lab.simulation.layout import LayoutName, default
from lab.simulation.scene import Outcome, Scene
from lab.simulation.workload import routing, virtio
from lab.simulation.workload import shape as s
from lab.simulation.workload.shape import RING_ENTRIES, Run, Shape, forwarded_pps
from tests.simulation.scenes import TIMING

LIMIT = 600
SHAPE = Shape(
    ports=4,
    cores=4,
    sockets=2,
    batch=32,
    work_ps=50_000,
    doorbell_ps=70_000,
    arrival_ps=67_200,
    near_ps=30_000,
    far_ps=110_000,
    touched=3,
    range_bytes=64,
)
RUN = Run(TIMING, seed=1, warm_ps=20_000_000, end_ps=80_000_000)
DRAINED = replace(RUN, end_ps=300_000_000)


def totals(outcome: Outcome, agents: range) -> list[int]:
    return [sum(outcome.stats[agent][i] for agent in agents) for i in range(4)]


def routed(layout: LayoutName, shape: Shape, run: Run) -> tuple[Scene, Outcome]:
    scene = routing.scene(shape, default(layout, shape.cores), run)
    return scene, native.simulate(scene)


@pytest.mark.parametrize("layout", ["padded", "packed"])
def test_every_routed_packet_is_accounted_for(layout: LayoutName) -> None:
    shape = replace(SHAPE, limit=LIMIT)
    _, outcome = routed(layout, shape, DRAINED)
    received, forwarded, refused, _ = totals(outcome, range(4))
    offered, delivered, lost, _ = totals(outcome, range(4, 8))
    assert offered == 4 * LIMIT == delivered + lost
    assert delivered == received == forwarded + refused  # the ports fell silent, so nothing is in flight


def test_what_is_in_flight_fits_into_the_rings() -> None:
    _, outcome = routed("packed", replace(SHAPE, work_ps=5_000), RUN)
    received, forwarded, refused, _ = totals(outcome, range(4))
    offered, delivered, lost, _ = totals(outcome, range(4, 8))
    assert offered == delivered + lost
    assert 0 <= delivered - received <= 4 * RING_ENTRIES
    assert 0 <= received - forwarded - refused <= 4 * 3 * RING_ENTRIES


def test_an_overloaded_core_loses_packets_at_the_port() -> None:
    _, outcome = routed("padded", replace(SHAPE, work_ps=1_000_000), RUN)
    assert totals(outcome, range(4, 8))[s.LOST] > 0


def test_ports_that_ask_for_little_get_all_of_it() -> None:
    scene, outcome = routed("padded", replace(SHAPE, arrival_ps=500_000), RUN)
    assert forwarded_pps(scene, outcome, 4) == pytest.approx(4 * 2e6, rel=0.05)


def test_private_words_of_many_cores_in_one_line_cost_throughput() -> None:
    rates = {layout: forwarded_pps(*routed(layout, SHAPE, RUN), 4) for layout in ("padded", "packed")}
    assert rates["packed"] < 0.7 * rates["padded"]


def test_one_core_alone_is_not_slowed_by_the_layout() -> None:
    shape = replace(SHAPE, ports=2, cores=1)
    rates = {layout: forwarded_pps(*routed(layout, shape, RUN), 1) for layout in ("padded", "packed")}
    assert rates["packed"] == pytest.approx(rates["padded"], rel=0.02)


@pytest.mark.parametrize("cores", [1, 2])
def test_every_frame_through_virtio_rings_comes_back(cores: int) -> None:
    shape = replace(SHAPE, cores=cores, sockets=1, limit=LIMIT)
    outcome = native.simulate(virtio.scene(shape, default("packed", 4), DRAINED))
    generator = outcome.stats[cores]
    assert generator[s.OFFERED] == 4 * LIMIT
    assert generator[virtio.COLLECTED] == totals(outcome, range(cores))[s.FORWARDED] == 4 * LIMIT


def test_virtio_rings_carry_less_the_farther_the_generator_is() -> None:
    def rate(near_ps: int) -> float:
        scene = virtio.scene(replace(SHAPE, ports=2, cores=1, near_ps=near_ps), default("padded", 2), RUN)
        return forwarded_pps(scene, native.simulate(scene), 1)

    assert rate(110_000) < rate(50_000) < rate(15_000)


def test_the_kernels_agree_on_forwarding() -> None:
    short = replace(RUN, warm_ps=2_000_000, end_ps=8_000_000)
    for scene in (
        routing.scene(SHAPE, default("packed", 4), short),
        virtio.scene(replace(SHAPE, cores=2), default("packed", 4), short),
    ):
        outcome = native.simulate(scene)
        assert outcome == reference.simulate(scene)
        assert outcome.accesses > 1000


def test_cores_and_ports_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SimulationError, match="5 cores for 4 ports"):
        routing.scene(replace(SHAPE, cores=5), default("padded", 5), RUN)
    with pytest.raises(SimulationError, match="3 cores for 4 ports"):
        virtio.scene(replace(SHAPE, cores=3), default("padded", 4), RUN)


def test_a_partner_port_is_the_other_of_its_pair() -> None:
    assert [virtio.partner(port, 5) for port in range(5)] == [1, 0, 3, 2, 4]
