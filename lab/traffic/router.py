"""A router seen from its ports: what a functional test needs to send a packet and to say what must come back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from scapy.layers.inet import IP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from lab.errors import UsageError
from lab.models import Model
from lab.testbed import Testbed
from lab.traffic.load import Direction, PortAddresses
from lab.traffic.models import SentFrame
from lab.traffic.protocol import TrafficGenerator

SHORTEST_FRAME_BYTES = 60
"""Ethernet pads to 64 bytes with FCS; a generator that does not would send what no real port can."""

ANSWER_LIMIT_S = 5.0
QUIET_S = 0.5

HOSTS = 250
"""Addresses behind each port that test traffic steps through."""


class RouterPort(Model):
    """One port of the router and the tester on the other end of its link.

    Behind the tester lie ``hosts`` addresses from ``first_host``, to which the router has a route by the tester.
    ``network`` is the prefix of that route.
    """

    index: int
    dut_mac: str
    dut_address: str
    prefix_length: int
    tester_mac: str
    tester_address: str
    network: str
    first_host: str
    hosts: int

    def addresses(self) -> PortAddresses:
        """Return what the load of RFC 2544 trials is made from."""
        return PortAddresses(
            port=self.index, mac=self.tester_mac, dut_mac=self.dut_mac, first_host=self.first_host, hosts=self.hosts
        )


def pairs(ports: Sequence[RouterPort], hops: int = 1) -> tuple[Direction, ...]:
    """Return the directions of bidirectional traffic between ports 0 and 1, 2 and 3, ... (RFC 2544 section 14).

    ``hops`` is by how much the TTL is less where frames arrive: 0 for what forwards in layer 2.
    """
    directions: list[Direction] = []
    for first, second in zip(ports[::2], ports[1::2], strict=True):
        directions.append(Direction(tx=first.addresses(), rx=second.addresses(), hops=hops))
        directions.append(Direction(tx=second.addresses(), rx=first.addresses(), hops=hops))
    return tuple(directions)


def one_way(ports: Sequence[RouterPort], hops: int = 1) -> tuple[Direction, ...]:
    """Return the directions of traffic from port 0 to 1, from 2 to 3, ... and none back (RFC 2285 section 3.2).

    ``hops`` as in ``pairs``.
    """
    return pairs(ports, hops)[::2]


def mesh(ports: Sequence[RouterPort]) -> tuple[Direction, ...]:
    """Return the directions from every port to every other: the fully meshed traffic of RFC 2285 section 3.3.3."""
    return tuple(
        Direction(tx=source.addresses(), rx=target.addresses()) for source, target in itertools.permutations(ports, 2)
    )


class Received:
    """The frames that came back, by port, as scapy packets."""

    def __init__(self, frames: Sequence[tuple[int, Packet]]) -> None:
        """Keep ``(port, packet)`` in order of arrival."""
        self._frames = tuple(frames)

    def at(self, port: RouterPort) -> list[Packet]:
        """Return what arrived at a port."""
        return [packet for index, packet in self._frames if index == port.index]

    def only_at(self, port: RouterPort) -> Packet:
        """Return the one frame that arrived; fails when it is not exactly one, at that port.

        Raises:
            AssertionError: with a summary of what arrived where.

        """
        assert len(self._frames) == 1 and self.at(port), f"expected one frame at port {port.index}; {self}"
        return self.at(port)[0]

    def assert_nothing(self) -> None:
        """Fail when any frame arrived at any port.

        Raises:
            AssertionError: with a summary of what arrived where.

        """
        assert not self._frames, f"expected no frame at all; {self}"

    def __str__(self) -> str:
        seen = "; ".join(f"port {index}: {packet.summary()}" for index, packet in self._frames)
        return f"arrived: {seen or 'nothing'}"


class RouterTester:
    """Sends scapy packets into the router and returns what comes out at all of its ports."""

    def __init__(self, generator: TrafficGenerator, ports: Sequence[RouterPort], quiet_s: float = QUIET_S) -> None:
        """Bind a generator to the ports of a router; generator port ``i`` is linked to router port ``i``.

        ``quiet_s`` is for how long nothing must come until nothing is taken to come.
        """
        self._generator = generator
        self._quiet_s = quiet_s
        self.ports = tuple(ports)

    def send(self, port: RouterPort, *packets: Packet, expect: int = 1, wait_s: float | None = None) -> Received:
        """Send packets from the tester at ``port`` and return all that arrives anywhere.

        Announcements of the router's own addresses (RFC 5227), which it may send at any time, are left out.

        Args:
            port: where they enter the router.
            packets: from Ethernet up; padded to the shortest frame.
            expect: number of frames after which waiting ends early; 0 waits for the whole ``wait_s``, which is what a
                test that expects nothing needs.
            wait_s: the longest wait; None: as long as an answer may take on a busy host, and for silence ``quiet_s``.

        """
        if wait_s is None:
            wait_s = ANSWER_LIMIT_S if expect else self._quiet_s
        frames = [SentFrame(port=port.index, frame=bytes(p).ljust(SHORTEST_FRAME_BYTES, b"\0")) for p in packets]
        captured = self._generator.exchange(frames, [p.index for p in self.ports], wait_s=wait_s, expect=expect)
        arrived = [(c.port, Ether(c.frame)) for c in captured]
        own = {port.dut_address for port in self.ports}
        return Received([(index, packet) for index, packet in arrived if not _is_announcement(packet, own)])

    def ipv4(self, source: RouterPort, target: RouterPort, **fields: object) -> Packet:
        """Return Ethernet and IPv4 headers from the first host behind one port to the first behind another.

        ``fields`` are scapy's fields of IP, and override.
        """
        header = {"src": source.first_host, "dst": target.first_host, "ttl": 64, **fields}
        return Ether(src=source.tester_mac, dst=source.dut_mac) / IP(**header)

    def arp_request(self, port: RouterPort, address: str) -> Packet:
        """Return the tester's ARP request for an address on the link of ``port`` (RFC 826)."""
        return Ether(src=port.tester_mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
            op="who-has", hwsrc=port.tester_mac, psrc=port.tester_address, pdst=address
        )


def _is_announcement(packet: Packet, own_addresses: set[str]) -> bool:
    """Say whether a frame tells everybody who has one of these addresses (RFC 5227 section 2.3)."""
    return ARP in packet and packet[ARP].psrc == packet[ARP].pdst and packet[ARP].psrc in own_addresses


def router_ports(testbed: Testbed, dut_macs: Sequence[str], hosts: int = HOSTS) -> tuple[RouterPort, ...]:
    """Describe the ports of a testbed's DUT as a router's.

    Args:
        testbed: with, for each port of the DUT, a route by the generator's address on its link.
        dut_macs: of the DUT's ports as it tells them itself.
        hosts: number of addresses behind each port that test traffic uses.

    Returns:
        One port for each port of the DUT, numbered as the generator numbers its own.

    Raises:
        UsageError: a port has no route to hosts behind it.

    """
    ports = []
    for number, port in enumerate(testbed.dut.ports):
        peer = testbed.peer_of(port)
        behind = next((route.prefix for route in testbed.dut.routes if route.via == peer.address.ip), None)
        if behind is None:
            raise UsageError(
                f"testbed {testbed.name}: no route by {peer.address.ip}, so test traffic has no hosts behind port "
                f"{port.name}: add one to nodes.dut.routes"
            )
        ports.append(
            RouterPort(
                index=testbed.generator_port(number),
                dut_mac=dut_macs[number],
                dut_address=str(port.address.ip),
                prefix_length=port.address.network.prefixlen,
                tester_mac=peer.mac,
                tester_address=str(peer.address.ip),
                network=str(behind),
                first_host=str(behind.network_address + 1),
                hosts=hosts,
            )
        )
    return tuple(ports)
