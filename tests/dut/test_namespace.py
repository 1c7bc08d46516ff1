"""The kernel of this host as a router in a namespace: it routes what the generator sends, and leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from lab.dut.namespace import namespace_router
from lab.machines import cores
from lab.testbed import load
from lab.traffic.models import CapturedFrame, SentFrame
from lab.traffic.trex import TrexGenerator
from tests.dut.reference_links import connected, vtrex

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

TESTBED = load("virtual")
NODE = TESTBED.dut
PEERS = [TESTBED.peer_of(port) for port in NODE.ports]


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrexGenerator]:
    """Ports 0 and 1 lead to the router, 2 and 3 are the ends of the wire."""
    with namespace_router(NODE.ports, PEERS, NODE.routes, core=cores.plan(1).exclusive[0]) as links:
        devices = [f"af_packet:{name}" for name in (*links.to_dut, *links.wire)]
        folder = tmp_path_factory.mktemp("namespace")
        with vtrex(folder, devices, "--netns", links.netns) as server, connected(server) as driver:
            yield driver


def packet(**fields: object) -> Packet:
    """Return a packet from a host behind port 0 to one behind port 1."""
    header = {"src": "198.18.128.1", "dst": "198.19.128.1", "ttl": 64, **fields}
    return Ether(src=PEERS[0].mac, dst=NODE.ports[0].mac) / IP(**header) / UDP() / Raw(b"y" * 20)


def send(generator: TrexGenerator, port: int, sent: Packet) -> tuple[CapturedFrame, ...]:
    return generator.exchange([SentFrame(port=port, frame=bytes(sent))], range(4), wait_s=2.0, expect=1)


def test_a_packet_leaves_by_its_route_one_hop_older(generator: TrexGenerator) -> None:
    sent = packet()
    (got,) = send(generator, 0, sent)
    out = Ether(got.frame)
    assert (got.port, out.src, out.dst) == (1, NODE.ports[1].mac, PEERS[1].mac)
    wanted = IP(bytes(packet(ttl=63)[IP]))  # built anew, so with the right checksum
    assert bytes(out[IP])[: len(wanted)] == bytes(wanted)


def test_a_packet_at_the_end_of_its_life_comes_back_as_an_icmp_error(generator: TrexGenerator) -> None:
    (got,) = send(generator, 0, packet(ttl=1))
    assert got.port == 0
    assert Ether(got.frame)[ICMP].type == 11


def test_the_wire_beside_it_changes_nothing(generator: TrexGenerator) -> None:
    sent = packet()
    got = send(generator, 2, sent)
    assert [(each.port, each.frame) for each in got] == [(3, bytes(sent))]


def test_nothing_is_left_of_it() -> None:
    with namespace_router(NODE.ports, PEERS, NODE.routes, core=0) as links:
        assert Path(links.netns).exists()
    assert not Path(links.netns).exists()
