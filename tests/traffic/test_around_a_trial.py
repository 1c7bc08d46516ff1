"""Learning frames before a trial, and frames in it that are no test frames, with a real generator and a real router."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether

from lab import paths
from lab.dut.namespace import namespace_router
from lab.errors import DutError
from lab.machines import cores
from lab.methods.trial import TrialRequest, burst
from lab.testbed import load
from lab.traffic.learning import learner
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.models import EngineReport, PortReport, StreamCount, TrafficResult
from lab.traffic.modifiers import Broadcast, Queries, modified, without_refused
from lab.traffic.router import one_way, pairs, router_ports
from lab.traffic.streams import streams_for
from lab.traffic.trex import TrexGenerator
from lab.traffic.vtrex import VtrexServer
from tests.dut.reference_links import connected, vtrex
from tests.traffic.test_load import BOTH
from tests.vtrex.serving import PATIENT
from tests.vtrex.serving import connected as rpc_to

needs_router = pytest.mark.skipif(
    os.geteuid() != 0 or not (paths.NATIVE / "vtrex-engine").exists(),
    reason="network namespaces need root, and the generator 'make native'",
)

TESTBED = load("virtual")
NODE = TESTBED.dut
PEERS = [TESTBED.peer_of(port) for port in NODE.ports]
PORTS = router_ports(TESTBED, [port.mac for port in NODE.ports])

Link = tuple[VtrexServer, TrexGenerator]


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    with namespace_router(NODE.ports, PEERS, NODE.routes, core=cores.plan(1).exclusive[0]) as links:
        devices = [f"af_packet:{name}" for name in links.to_dut]
        folder = tmp_path_factory.mktemp("around")
        with vtrex(folder, devices, "--netns", links.netns, *PATIENT) as server, connected(server) as driver:
            yield server, driver


@needs_router
def test_a_router_answers_the_learning_frames_of_every_port(link: Link) -> None:
    learner(link[1], PORTS, answered=True)()


@needs_router
def test_a_port_that_does_not_answer_is_named(link: Link) -> None:
    other = PORTS[1].model_copy(update={"dut_address": "198.19.0.99"})
    with pytest.raises(DutError, match=r"port 1 of the DUT does not answer ARP requests for 198\.19\.0\.99"):
        learner(link[1], (PORTS[0], other), answered=True)()
    learner(link[1], (PORTS[0], other), answered=False)()


@needs_router
def test_broadcast_frames_and_queries_are_sent_and_not_counted(link: Link) -> None:
    server, generator = link
    measurer = GeneratorMeasurer(
        generator, pairs(PORTS), modifiers=(Broadcast(share=0.1), Queries(ports=PORTS, rate_pps=20.0))
    )
    request = TrialRequest(frame_size_bytes=128, rate_pps=2_000.0, duration_s=0.5, tagged=False)
    with rpc_to(server) as rpc, rpc.capturing(0, limit=1000) as frames:
        trial = measurer.measure(request)
    assert [(d.intended_frames, d.sent_frames, d.received_frames) for d in trial.directions] == [(450, 450, 450)] * 2
    assert trial.lost_frames == 0
    answers = [Ether(frame) for frame in frames if ICMP in Ether(frame)]
    assert [(answer[IP].src, answer[ICMP].type) for answer in answers] == [(PORTS[0].dut_address, 0)] * 10


@needs_router
def test_traffic_of_one_direction_only(link: Link) -> None:
    trial = GeneratorMeasurer(link[1], one_way(PORTS)).measure(
        TrialRequest(frame_size_bytes=64, rate_pps=1_000.0, duration_s=0.1)
    )
    assert [(d.tx_port, d.rx_port, d.intended_frames, d.received_frames) for d in trial.directions] == [
        (0, 1, 100, 100)
    ]


def test_a_share_of_the_frames_goes_to_everybody() -> None:
    request = burst(128, 1000, 2e5, directions=2)
    bulk = streams_for(request, BOTH)
    streams, extra = modified(bulk, (Broadcast(),), request)
    assert [stream.frames for stream in (*streams, *extra)] == [990, 990, 10, 10]
    assert [stream.pg_id for stream in (*streams, *extra)] == [1, 2, 3, 4]
    assert sum(stream.rate_pps for stream in (*streams, *extra)) == pytest.approx(2e5)
    for stream in extra:
        assert Ether(stream.frame).dst == "ff:ff:ff:ff:ff:ff"
        assert (stream.size_bytes, stream.arrival) == (128, None)
    assert modified(bulk, (), request) == (bulk, ())


def test_refused_broadcast_frames_are_no_loss_of_test_frames() -> None:
    request = burst(64, 1000, 2e5, directions=1)
    _, extra = modified(streams_for(request, BOTH[:1]), (Broadcast(),), request)
    traffic = TrafficResult(
        started_at_s=0.0,
        duration_s=request.total_s,
        settled=True,
        streams=(
            StreamCount(pg_id=1, sent_frames=940, received_frames=940),
            StreamCount(pg_id=2, sent_frames=7, received_frames=0),
        ),
        engine=EngineReport(
            ports=(PortReport(port=0, intended_frames=1000, sent_frames=947, refused_frames=53, unknown_frames=0),),
            cores=(),
        ),
    )
    engine = without_refused(traffic, extra).engine
    assert engine is not None
    assert engine.ports[0].refused_frames == 50
