"""IPv4 routing: what RFC 1812 and 792 say, and that the counters add up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.packet import Packet, Raw

from tests.image.router import BROADCAST, FAR_HOST, LEFT, RIGHT, Router, datagram, is_icmp


@pytest.mark.parametrize("size", [60, 64, 508, 1514])
def test_forwards_and_changes_only_what_it_must(router: Router, size: int) -> None:
    sent = router.send(datagram(payload=bytes(i % 251 for i in range(max(size - 42, 18)))), size=size)
    got = router.receive()
    assert (got.dst, got.src) == (RIGHT.mac, RIGHT.router_mac)
    assert got[IP].ttl == 63
    expected = bytearray(sent)
    expected[:12] = bytes(got)[:12]
    expected[22] = 63
    header = IP(sent[14:34])
    header.ttl = 63
    del header.chksum  # scapy computes it
    expected[24:26] = bytes(header)[10:12]
    assert bytes(got) == bytes(expected)


def test_forwards_both_ways_to_connected_hosts(router: Router) -> None:
    router.send(datagram(RIGHT.address))
    assert router.receive(RIGHT).dst == RIGHT.mac
    router.send(datagram(LEFT.address, RIGHT.address), RIGHT)
    assert router.receive(LEFT).dst == LEFT.mac


def test_header_options_are_passed_on(router: Router) -> None:
    router.send(IP(src=LEFT.address, dst=FAR_HOST, options=b"\x01\x01\x01\x00") / Raw(b"x" * 40))
    got = router.receive()
    assert (got[IP].ihl, got[IP].ttl) == (6, 63)


def test_keeps_the_order(router: Router) -> None:
    """More frames than one batch holds, to two ways out."""
    count = 150
    for number in range(count):
        router.send(datagram(payload=number.to_bytes(4, "big") * 8))
    numbers = [int.from_bytes(bytes(router.receive()[Raw])[:4], "big") for _ in range(count)]
    assert numbers == list(range(count))


def test_longest_prefix_wins(router: Router) -> None:
    router.machine.ok(f"route add 172.20.1.0/30 via {LEFT.address}")
    router.machine.ok(f"route add 0.0.0.0/0 via {LEFT.address}")
    ways = {"172.20.1.2": LEFT, "172.20.1.4": RIGHT, "8.8.8.8": LEFT}
    for destination, side in ways.items():
        router.send(datagram(destination, RIGHT.address), RIGHT)
        assert router.receive(side)[IP].dst == destination
    router.machine.ok("route del 172.20.1.0/30")
    router.machine.ok("route del 0.0.0.0/0")
    router.send(datagram("172.20.1.2"))
    assert router.receive(RIGHT)[IP].dst == "172.20.1.2"


def test_answers_echo_requests_to_both_of_its_addresses(router: Router) -> None:
    for address in (LEFT.router, RIGHT.router):
        router.send(IP(src=LEFT.address, dst=address) / ICMP(id=7, seq=9) / Raw(b"echo this" * 5))
        got = router.receive(LEFT)
        expected = IP(src=address, dst=LEFT.address, ttl=64) / ICMP(type=0, id=7, seq=9) / Raw(b"echo this" * 5)
        assert bytes(got[IP]) == bytes(expected)


ERRORS: dict[str, tuple[Callable[[], Packet], int, int, str]] = {
    "time exceeded": (lambda: datagram(ttl=1), 11, 0, "ttl_expired"),
    "net unreachable": (lambda: datagram("192.168.9.9"), 3, 0, "no_route"),
    "fragmentation needed": (lambda: datagram(payload=b"x" * 1473, flags="DF"), 3, 4, "mtu_exceeded"),
    "port unreachable": (lambda: datagram(LEFT.router), 3, 3, "local_unsupported"),
    "protocol unreachable": (lambda: IP(src=LEFT.address, dst=LEFT.router) / TCP(), 3, 2, "local_unsupported"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_icmp_error(router: Router, name: str) -> None:
    """The message quotes the packet as it came, and the packet is counted."""
    make, kind, code, reason = ERRORS[name]
    sent = router.send(make())
    got = router.receive(LEFT)
    assert is_icmp(got, LEFT, kind, code)
    quoted = bytes(got)[14 + 20 + 8 : 14 + got[IP].len]
    assert quoted == sent[14 : 14 + len(quoted)]
    assert len(quoted) == min(len(sent) - 14, 576 - 28)
    if code == 4:
        assert got[ICMP].nexthopmtu == 1500
    router.require_drops({reason: 1})


def change_checksum(packet: Packet) -> Packet:
    """Return a packet whose header checksum is wrong by one bit."""
    built = IP(bytes(packet))
    built.chksum ^= 0x0100
    return built


def datagram_of_error(destination: str) -> Packet:
    """Return an ICMP error on its way to somebody else."""
    return IP(src=LEFT.address, dst=destination) / ICMP(type=3, code=1) / Raw(bytes(28))


DROPPED: dict[str, tuple[Callable[[], Packet], str]] = {
    "wrong checksum": (lambda: change_checksum(datagram()), "ip_checksum"),
    "version 5": (lambda: datagram(version=5), "ip_version"),
    "header of 16 bytes": (lambda: datagram(ihl=4), "ip_header_length"),
    "longer than its frame": (lambda: datagram(len=200), "ip_total_length"),
    "shorter than its header": (lambda: datagram(len=19), "ip_total_length"),
    "multicast": (lambda: datagram("224.0.0.5"), "multicast"),
    "broadcast of a network": (lambda: datagram("10.0.1.255"), "broadcast"),
    "limited broadcast": (lambda: datagram("255.255.255.255"), "broadcast"),
    "to loopback": (lambda: datagram("127.0.0.1"), "martian_destination"),
    "from loopback": (lambda: datagram(source="127.0.0.1"), "martian_source"),
    "from multicast": (lambda: datagram(source="224.1.1.1"), "martian_source"),
    "error about an error": (lambda: datagram_of_error("192.168.9.9"), "no_route"),
    "later fragment without route": (lambda: datagram("192.168.9.9", frag=100), "no_route"),
}


@pytest.mark.parametrize("name", DROPPED)
def test_drops_silently(router: Router, name: str) -> None:
    make, reason = DROPPED[name]
    router.send(make())
    router.require_drops({reason: 1})


def test_drops_by_link_layer(router: Router) -> None:
    router.send(datagram(), to="52:54:00:00:00:99")
    router.send(datagram(), to=BROADCAST)
    router.machine.send(LEFT.port, bytes.fromhex("525400000001 020000000010 86dd") + bytes(50))
    router.machine.send(LEFT.port, bytes.fromhex("525400000001 020000000010 0800 45"))
    router.require_drops({"not_for_us": 1, "link_broadcast": 1, "ethertype": 1, "runt": 1})


def test_takes_a_route_away_while_running(router: Router) -> None:
    router.machine.ok("route del 172.16.0.0/12")
    router.send(datagram())
    assert is_icmp(router.receive(LEFT), LEFT, 3, 0)
    router.machine.ok(f"route add 172.16.0.0/12 via {RIGHT.address}")
    router.send(datagram())
    assert router.receive().dst == RIGHT.mac


def test_forwards_after_stop_and_start(router: Router) -> None:
    router.machine.ok("stop")
    router.start()
    router.send(datagram())
    assert router.receive()[IP].ttl == 63
