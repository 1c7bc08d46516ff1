"""Functional checks of the router, packet by packet (RFC 1812).

Each test sends frames from a tester and looks at every frame that comes out at any port.
"""

from __future__ import annotations

import ipaddress
import random

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from lab.dut.protocol import Dut
from lab.traffic.router import RouterPort, RouterTester

NET_UNREACHABLE, TIME_EXCEEDED = 3, 11
"""ICMP types (RFC 792)."""


@pytest.fixture(name="ports")
def _ports(router: RouterTester) -> tuple[RouterPort, RouterPort]:
    return router.ports[0], router.ports[1]


def payload(size_bytes: int) -> Raw:
    """Return random bytes, the same in every run."""
    return Raw(random.Random(size_bytes).randbytes(size_bytes))


def checksum_is_right(packet: Packet) -> bool:
    """Say whether the IPv4 header checksum is the one that scapy computes (RFC 1071)."""
    fresh = packet[IP].copy()
    told = fresh.chksum
    del fresh.chksum
    return bool(IP(bytes(fresh)).chksum == told)


def dropped_since(dut: Dut, before: dict[str, int]) -> dict[str, int]:
    """Return the drops of all ports, by reason, that have come since ``before``."""
    return {why: count - before.get(why, 0) for why, count in dut.drops().items() if count != before.get(why, 0)}


def assert_dropped(dut: Dut, before: dict[str, int], reason: str) -> None:
    """Assert that one frame was dropped since ``before``, for ``reason``, and none for another one.

    A router that does not count this reason by itself is only looked at from outside.
    """
    if reason in dut.drop_reasons():
        assert dropped_since(dut, before) == {reason: 1}


@pytest.mark.parametrize("way", ["0 to 1", "1 to 0"])
def test_a_packet_is_forwarded_to_the_port_of_its_destination(router: RouterTester, way: str) -> None:
    """It leaves there alone, with the MAC addresses of the next link."""
    source, target = router.ports[int(way[0])], router.ports[int(way[-1])]
    out = router.send(source, router.ipv4(source, target) / UDP() / payload(18)).only_at(target)
    assert (out.src, out.dst) == (target.dut_mac, target.tester_mac)


def test_only_ttl_and_checksum_change(router: RouterTester, ports: tuple[RouterPort, RouterPort]) -> None:
    """Every other bit of the IPv4 packet arrives as it was sent (RFC 1812 section 5.3.1)."""
    source, target = ports
    sent = router.ipv4(source, target, ttl=17, id=0xBEEF, tos=0xB8) / UDP(sport=7, dport=9) / payload(100)
    out = router.send(source, sent).only_at(target)
    assert out[IP].ttl == 16
    assert checksum_is_right(out)
    expected = IP(bytes(sent[IP]))
    expected.ttl, expected.chksum = 16, out[IP].chksum
    assert bytes(out[IP]) == bytes(expected)


@pytest.mark.parametrize("frame_size_bytes", [64, 65, 128, 512, 1024, 1517, 1518])
def test_frames_of_every_size_arrive_whole(
    router: RouterTester, ports: tuple[RouterPort, RouterPort], frame_size_bytes: int
) -> None:
    """From the shortest frame to the longest, no byte of the payload is lost or changed."""
    source, target = ports
    data = payload(frame_size_bytes - 4 - 42)
    out = router.send(source, router.ipv4(source, target) / UDP() / data).only_at(target)
    assert bytes(out[UDP].payload) == data.load


def test_the_checksum_stays_right_for_every_ttl(router: RouterTester, ports: tuple[RouterPort, RouterPort]) -> None:
    """The incremental update (RFC 1624) is right at the values where one's complement wraps."""
    source, target = ports
    sent = [router.ipv4(source, target, ttl=ttl, id=ttl * 257) / UDP() / payload(18) for ttl in range(2, 256, 7)]
    out = router.send(source, *sent, expect=len(sent)).at(target)
    assert [p[IP].ttl for p in out] == [p[IP].ttl - 1 for p in sent]
    assert all(checksum_is_right(p) for p in out)


def test_options_do_not_hide_the_checksum(router: RouterTester, ports: tuple[RouterPort, RouterPort]) -> None:
    """A header longer than 20 bytes is forwarded, or dropped with a counted reason; never sent on broken."""
    source, target = ports
    sent = router.ipv4(source, target, options=b"\x01\x01\x01\x00") / UDP() / payload(18)
    for out in router.send(source, sent, expect=0).at(target):
        assert checksum_is_right(out)
        assert out[IP].ihl == 6


def test_the_longest_matching_prefix_decides(
    router: RouterTester, dut: Dut, ports: tuple[RouterPort, RouterPort]
) -> None:
    """A more specific route by another port wins, and its removal restores the shorter one (RFC 1812 5.2.4.3)."""
    source, target = ports
    specific = f"{target.first_host}/32"
    packet = router.ipv4(source, target) / UDP() / payload(18)
    dut.route_add(specific, source.tester_address)
    try:
        out = [p for p in router.send(source, packet, expect=0).at(source) if UDP in p and ICMP not in p]
        assert len(out) == 1, "the /32 by the port of the sender did not win"
        assert out[0].dst == source.tester_mac
    finally:
        dut.route_del(specific)
    router.send(source, packet).only_at(target)


def test_addresses_all_over_the_prefix_are_forwarded(
    router: RouterTester, ports: tuple[RouterPort, RouterPort]
) -> None:
    """First, last and random addresses of the route's prefix leave by its port."""
    source, target = ports
    network = ipaddress.IPv4Network(target.network)
    addresses = [
        network[1],
        network[-2],
        *(network[random.Random(i).randrange(1, network.num_addresses - 1)] for i in range(20)),
    ]
    sent = [router.ipv4(source, target, dst=str(address)) / UDP() / payload(18) for address in addresses]
    out = router.send(source, *sent, expect=len(sent)).at(target)
    assert sorted(p[IP].dst for p in out) == sorted(str(address) for address in addresses)  # flows have no order


def test_no_route_is_answered_with_network_unreachable(
    router: RouterTester, dut: Dut, ports: tuple[RouterPort, RouterPort]
) -> None:
    """A packet that no route matches is dropped, counted, and answered by ICMP type 3 (RFC 1812 section 5.2.7.1)."""
    source, target = ports
    before = dut.drops()
    sent = router.ipv4(source, target, dst="203.0.113.7") / UDP() / payload(18)
    answer = router.send(source, sent).only_at(source)
    assert (answer[ICMP].type, answer[ICMP].code) == (NET_UNREACHABLE, 0)
    assert (answer[IP].src, answer[IP].dst) == (source.dut_address, source.first_host)
    assert bytes(answer[ICMP].payload)[:28] == bytes(sent[IP])[:28], "the error quotes another packet"
    assert_dropped(dut, before, "no_route")


@pytest.mark.parametrize("ttl", [0, 1])
def test_a_ttl_that_runs_out_is_answered_with_time_exceeded(
    router: RouterTester, dut: Dut, ports: tuple[RouterPort, RouterPort], ttl: int
) -> None:
    """A packet whose TTL runs out is not forwarded; the sender is told (RFC 1812 section 5.3.1)."""
    source, target = ports
    before = dut.drops()
    answer = router.send(source, router.ipv4(source, target, ttl=ttl) / UDP() / payload(18)).only_at(source)
    assert (answer[ICMP].type, answer[ICMP].code) == (TIME_EXCEEDED, 0)
    assert checksum_is_right(answer)
    assert_dropped(dut, before, "ttl_expired")


BROKEN_HEADERS = {
    "ip_checksum": {"chksum": 0x1234},
    "ip_version": {"version": 5},
    "ip_header_length": {"ihl": 4},
    "ip_total_length": {"len": 1400},
}


@pytest.mark.parametrize("reason", BROKEN_HEADERS)
def test_a_broken_header_is_dropped_and_counted(
    router: RouterTester, dut: Dut, ports: tuple[RouterPort, RouterPort], reason: str
) -> None:
    """What fails a check of RFC 1812 section 5.2.2 leaves by no port and causes no ICMP error."""
    source, target = ports
    before = dut.drops()
    packet = router.ipv4(source, target, **BROKEN_HEADERS[reason]) / UDP() / payload(18)
    router.send(source, packet, expect=0).assert_nothing()
    assert_dropped(dut, before, reason)


def test_a_truncated_packet_is_dropped(router: RouterTester, dut: Dut, ports: tuple[RouterPort, RouterPort]) -> None:
    """A frame too short for the total length that its header tells is not forwarded."""
    source, target = ports
    before = dut.drops()
    whole = bytes(router.ipv4(source, target) / UDP() / payload(200))
    router.send(source, Ether(whole[:120]), expect=0).assert_nothing()
    assert_dropped(dut, before, "ip_total_length")


def test_a_frame_for_another_mac_address_is_ignored(
    router: RouterTester, dut: Dut, ports: tuple[RouterPort, RouterPort]
) -> None:
    """A router forwards what is addressed to itself (RFC 1812 section 3.3.1)."""
    source, target = ports
    before = dut.drops()
    packet = router.ipv4(source, target) / UDP() / payload(18)
    packet[Ether].dst = "02:de:ad:be:ef:00"
    router.send(source, packet, expect=0).assert_nothing()
    assert_dropped(dut, before, "not_for_us")


@pytest.mark.parametrize("destination", ["255.255.255.255", "224.0.0.5", "127.0.0.1", "0.0.0.0"])
def test_addresses_that_must_not_be_forwarded_are_dropped(
    router: RouterTester, ports: tuple[RouterPort, RouterPort], destination: str
) -> None:
    """Limited broadcast, multicast, loopback and the unspecified address stay here (RFC 1812 section 5.3.7)."""
    source, target = ports
    packet = router.ipv4(source, target, dst=destination) / UDP() / payload(18)
    assert not router.send(source, packet, expect=0).at(target)


def broadcast_address(port: RouterPort) -> str:
    """Return the directed broadcast address of the network on a port's link."""
    link = ipaddress.IPv4Interface(f"{port.dut_address}/{port.prefix_length}")
    return str(link.network.broadcast_address)


@pytest.mark.parametrize("address", ["255.255.255.255", "127.0.0.1", "224.0.0.5", "240.0.0.1", "own", "broadcast"])
def test_sources_that_no_host_has_are_not_forwarded(
    router: RouterTester, ports: tuple[RouterPort, RouterPort], address: str
) -> None:
    """Nor answered: martian sources (RFC 1812 section 5.3.7), the router's own, a broadcast address (4.2.2.11)."""
    source, target = ports
    sender = {"own": target.dut_address, "broadcast": broadcast_address(target)}.get(address, address)
    router.send(source, router.ipv4(source, target, src=sender) / UDP() / payload(18), expect=0).assert_nothing()


def test_a_directed_broadcast_is_not_forwarded(router: RouterTester, ports: tuple[RouterPort, RouterPort]) -> None:
    """To a network on another link it is dropped unless somebody has asked for it (RFC 2644)."""
    source, target = ports
    packet = router.ipv4(source, target, dst=broadcast_address(target)) / UDP() / payload(18)
    assert not router.send(source, packet, expect=0).at(target)


def test_a_link_layer_broadcast_is_not_forwarded(router: RouterTester, ports: tuple[RouterPort, RouterPort]) -> None:
    """A unicast packet in a broadcast frame was sent wrongly (RFC 1812 section 5.3.4)."""
    source, target = ports
    packet = router.ipv4(source, target) / UDP() / payload(18)
    packet[Ether].dst = "ff:ff:ff:ff:ff:ff"
    router.send(source, packet, expect=0).assert_nothing()


def test_a_source_route_is_not_followed(router: RouterTester, ports: tuple[RouterPort, RouterPort]) -> None:
    """Neither loose nor strict ones, by default (RFC 7126 sections 4.3 and 4.4)."""
    source, target = ports
    hop = ipaddress.IPv4Address(target.first_host).packed
    for kind in (131, 137):
        options = bytes((kind, 7, 4)) + hop + b"\0"
        packet = router.ipv4(source, target, options=options) / UDP() / payload(18)
        assert not router.send(source, packet, expect=0).at(target)


def test_no_error_is_sent_about_an_error_or_a_later_fragment(
    router: RouterTester, ports: tuple[RouterPort, RouterPort]
) -> None:
    """Whatever becomes of them (RFC 1812 section 4.3.2.7)."""
    source, target = ports
    error = router.ipv4(source, target, ttl=1) / ICMP(type=3, code=1) / Raw(bytes(28))
    fragment = router.ipv4(source, target, ttl=1, frag=100, proto=17) / payload(40)
    router.send(source, error, fragment, expect=0).assert_nothing()


def test_a_claim_to_the_routers_address_is_not_believed(
    router: RouterTester, ports: tuple[RouterPort, RouterPort]
) -> None:
    """The router still answers by its own address when somebody else has announced it (RFC 5227 section 2.4)."""
    source, target = ports
    thief = "02:de:ad:be:ef:01"
    claim = ARP(op="who-has", hwsrc=thief, psrc=source.dut_address, pdst=source.dut_address)
    assert not router.send(source, Ether(src=thief, dst="ff:ff:ff:ff:ff:ff") / claim, expect=0).at(target)
    answer = router.send(source, router.arp_request(source, source.dut_address)).only_at(source)
    assert (answer[ARP].op, answer[ARP].hwsrc) == (2, source.dut_mac)


def test_echo_to_the_address_of_another_port_is_answered(
    router: RouterTester, ports: tuple[RouterPort, RouterPort]
) -> None:
    """All addresses of a router are its own, whichever port a packet comes in by (RFC 1812 section 5.2.3)."""
    source, target = ports
    request = Ether(src=source.tester_mac, dst=source.dut_mac) / IP(
        src=source.tester_address, dst=target.dut_address, ttl=1
    )
    answer = router.send(source, request / ICMP(id=78, seq=6) / payload(56)).only_at(source)
    assert (answer[ICMP].type, answer[IP].src) == (0, target.dut_address)


@pytest.mark.parametrize("size_bytes", [0, 8, 56, 1400])
def test_echo_to_the_router_is_answered(
    router: RouterTester, ports: tuple[RouterPort, RouterPort], size_bytes: int
) -> None:
    """The reply carries identifier, sequence number and data of the request (RFC 1812 section 4.3.3.6)."""
    source, _ = ports
    data = payload(size_bytes)
    request = Ether(src=source.tester_mac, dst=source.dut_mac) / IP(src=source.tester_address, dst=source.dut_address)
    answer = router.send(source, request / ICMP(type="echo-request", id=77, seq=5) / data).only_at(source)
    assert (answer[ICMP].type, answer[ICMP].id, answer[ICMP].seq) == (0, 77, 5)
    assert bytes(answer[ICMP].payload)[:size_bytes] == data.load
    assert checksum_is_right(answer)
    assert ICMP(bytes(answer[ICMP])[: 8 + size_bytes]).chksum == _icmp_checksum(answer, size_bytes)


def _icmp_checksum(packet: Packet, size_bytes: int) -> int:
    fresh = ICMP(bytes(packet[ICMP])[: 8 + size_bytes])
    del fresh.chksum
    return int(ICMP(bytes(fresh)).chksum)


def test_arp_for_an_own_address_is_answered(router: RouterTester, ports: tuple[RouterPort, RouterPort]) -> None:
    """The reply tells the MAC address of the port that was asked (RFC 826)."""
    for port in ports:
        answer = router.send(port, router.arp_request(port, port.dut_address)).only_at(port)
        assert answer[ARP].op == 2
        assert (answer[ARP].hwsrc, answer[ARP].psrc) == (port.dut_mac, port.dut_address)
        assert (answer[ARP].hwdst, answer[ARP].pdst) == (port.tester_mac, port.tester_address)


def test_arp_for_another_address_is_not_answered(router: RouterTester, ports: tuple[RouterPort, RouterPort]) -> None:
    """The router answers for itself and for nobody else."""
    source, target = ports
    router.send(source, router.arp_request(source, target.dut_address), expect=0).assert_nothing()


def test_an_unknown_neighbour_is_asked_for_and_then_served(
    router: RouterTester, dut: Dut, ports: tuple[RouterPort, RouterPort]
) -> None:
    """The first packet causes an ARP request; once it is answered, packets reach the neighbour."""
    source, target = ports
    stranger = str(ipaddress.IPv4Address(target.tester_address) + 40)
    stranger_mac = "02:00:00:12:00:40"
    packet = router.ipv4(source, target, dst=stranger) / UDP() / payload(18)
    asked = [p for p in router.send(source, packet).at(target) if ARP in p]
    assert [(p[ARP].op, p[ARP].pdst, p[ARP].psrc) for p in asked] == [(1, stranger, target.dut_address)]
    assert asked[0].dst == "ff:ff:ff:ff:ff:ff"
    reply = Ether(src=stranger_mac, dst=target.dut_mac) / ARP(
        op="is-at", hwsrc=stranger_mac, psrc=stranger, hwdst=target.dut_mac, pdst=target.dut_address
    )
    router.send(target, reply, expect=0)
    out = router.send(source, packet).only_at(target)
    assert out.dst == stranger_mac
