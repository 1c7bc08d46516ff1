"""What RFC 1812 demands beside forwarding: refused addresses, options, fragments, ICMP errors and their rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP
from scapy.packet import Packet, Raw

from tests.image.router import FAR_HOST, LEFT, RIGHT, Router, datagram, is_icmp

NOP = b"\x01"
RECORD_ROUTE = b"\x07\x07\x04\0\0\0\0"
SECURITY = b"\x82\x04\0\0"
"""An option that every fragment bears: the first bit of its type is set (RFC 791 section 3.1)."""
ROUTER_ALERT = b"\x94\x04\0\0"

MARTIANS: dict[str, tuple[Callable[[], Packet], str]] = {
    "from the router itself": (lambda: datagram(source=LEFT.router), "martian_source"),
    "from its other address": (lambda: datagram(source=RIGHT.router), "martian_source"),
    "from the broadcast address of a network": (lambda: datagram(source="10.0.0.255"), "martian_source"),
    "from the address of a network": (lambda: datagram(source="10.0.1.0"), "martian_source"),
    "from the limited broadcast address": (lambda: datagram(source="255.255.255.255"), "martian_source"),
    "from this network": (lambda: datagram(source="0.1.2.3"), "martian_source"),
    "from class E": (lambda: datagram(source="240.0.0.1"), "martian_source"),
    "to this network": (lambda: datagram("0.1.2.3"), "martian_destination"),
    "to class E": (lambda: datagram("250.0.0.1"), "martian_destination"),
    "to the address of a network": (lambda: datagram("10.0.1.0"), "broadcast"),
    "to a broadcast address, with a source route": (lambda: with_options(b"\x83\x04\x04\0", "10.0.1.255"), "broadcast"),
    "last hop, from the router itself": (lambda: datagram(source=LEFT.router, ttl=1), "martian_source"),
}


def with_options(options: bytes, destination: str = FAR_HOST, size: int = 40) -> Packet:
    """Return a packet with these options, which take a multiple of four bytes."""
    header = bytearray(bytes(IP(src=LEFT.address, dst=destination, proto=17, len=20 + len(options) + size)))
    header[0] = 0x45 + len(options) // 4
    header += options
    header[10:12] = b"\0\0"
    packet = IP(bytes(header) + bytes(i % 251 for i in range(size)))
    del packet.chksum
    packet.chksum = IP(bytes(packet)).chksum
    return packet


@pytest.mark.parametrize("name", MARTIANS)
def test_drops_martians_silently(router: Router, name: str) -> None:
    make, reason = MARTIANS[name]
    router.send(make())
    router.require_drops({reason: 1})
    assert router.machine.is_silent(LEFT.port, 0.05)


@pytest.mark.parametrize("options", [NOP * 4, RECORD_ROUTE + b"\0", ROUTER_ALERT, SECURITY + b"\0" * 4])
def test_passes_options_on_unread(router: Router, options: bytes) -> None:
    sent = router.send(with_options(options))
    got = bytes(router.receive())
    assert got[34 : 34 + len(options)] == options
    assert got[34:] == sent[34:]


@pytest.mark.parametrize("kind", [0x83, 0x89])
def test_refuses_source_routes(router: Router, kind: int) -> None:
    router.send(with_options(NOP + bytes((kind, 7, 4)) + bytes(4)))
    assert is_icmp(router.receive(LEFT), LEFT, 3, 5)
    router.require_drops({"ip_source_route": 1})


@pytest.mark.parametrize(
    ("options", "at"), [(b"\x07\x01\0\0", 21), (b"\x07\x00\0\0", 21), (b"\x07\x05\0\0", 21), (b"\x01\x01\x01\x07", 23)]
)
def test_points_at_options_that_cannot_be_told_apart(router: Router, options: bytes, at: int) -> None:
    router.send(with_options(options))
    got = router.receive(LEFT)
    assert is_icmp(got, LEFT, 12, 0)
    assert got[ICMP].ptr == at
    router.require_drops({"ip_options": 1})


def test_a_packet_for_the_router_itself_may_have_ttl_1(router: Router) -> None:
    router.send(IP(src=LEFT.address, dst=RIGHT.router, ttl=1) / ICMP(id=7, seq=9) / Raw(b"echo this" * 5))
    assert is_icmp_reply(router.receive(LEFT), RIGHT.router)


def is_icmp_reply(frame: Packet, source: str) -> bool:
    """Return whether a frame is an echo reply from an address."""
    return bool(frame[ICMP].type == 0 and frame[IP].src == source)


def test_an_error_bears_the_type_of_service_of_its_cause(router: Router) -> None:
    """And the precedence of internetwork control (RFC 1812 section 4.3.2.5)."""
    router.send(datagram("192.168.9.9", tos=0x28))
    assert router.receive(LEFT)[IP].tos == 0xC8


def test_an_error_bears_the_address_of_the_port_that_it_leaves_by(router: Router) -> None:
    """RFC 1812 section 4.3.2.4."""
    router.send(datagram("192.168.9.9", RIGHT.address))
    assert is_icmp(router.receive(RIGHT), RIGHT, 3, 0)


@pytest.fixture
def narrow(router: Router) -> Iterator[Router]:
    """Return a router whose right side takes no packet longer than 576 bytes."""
    router.machine.ok("set mtu 1 576")
    yield router
    router.machine.ok("set mtu 1 1500")


def put_together(pieces: list[Packet]) -> bytes:
    """Return the payload of fragments, which lie end to end in this order."""
    whole = b""
    for piece in pieces:
        header = piece[IP].ihl * 4
        assert piece[IP].frag * 8 == len(whole)
        whole += bytes(piece[IP])[header : piece[IP].len]
    return whole


def test_fragments_what_is_too_long(narrow: Router) -> None:
    """RFC 791 section 3.2: in units of eight bytes, in order; what every piece bears is what the packet bore."""
    sent = datagram(payload=bytes(i % 251 for i in range(1400)), id=4711, tos=0x20)
    narrow.send(sent)
    pieces = [narrow.receive() for _ in range(3)]
    assert [piece[IP].len for piece in pieces] == [572, 572, 1428 - 552 * 2 - 20 + 20]
    assert [int(piece[IP].flags) for piece in pieces] == [1, 1, 0]
    assert {(piece[IP].id, piece[IP].tos, piece[IP].ttl, piece[IP].proto) for piece in pieces} == {(4711, 0x20, 63, 17)}
    assert put_together(pieces) == bytes(sent)[20:]
    for piece in pieces:
        header = piece[IP].copy()
        del header.chksum
        assert IP(bytes(header)).chksum == piece[IP].chksum
    narrow.require_drops({})


def test_fragments_a_fragment(narrow: Router) -> None:
    """Offsets add up, and the last piece says that more follows, as its packet did."""
    narrow.send(IP(src=LEFT.address, dst=FAR_HOST, proto=17, frag=100, flags="MF", id=9) / Raw(bytes(range(200)) * 4))
    pieces = [narrow.receive() for _ in range(2)]
    assert [(piece[IP].frag, int(piece[IP].flags)) for piece in pieces] == [(100, 1), (100 + 69, 1)]
    assert [piece[IP].len - 20 for piece in pieces] == [552, 248]


def test_fragments_bear_the_options_that_they_must(narrow: Router) -> None:
    options = RECORD_ROUTE + SECURITY + NOP
    narrow.send(with_options(options, size=1000))
    pieces = [narrow.receive() for _ in range(2)]
    assert [piece[IP].ihl for piece in pieces] == [8, 6]
    assert bytes(pieces[0])[34 : 34 + 12] == options
    assert bytes(pieces[1])[34 : 34 + 4] == SECURITY
    first = pieces[0][IP].len - 32
    assert first == 544
    assert bytes(pieces[1])[38:][: 1000 - first] == bytes(i % 251 for i in range(1000))[first:]


def test_fragments_for_the_shortest_mtu(router: Router) -> None:
    """68 bytes (RFC 791 section 3.2): a packet of 1500 becomes 31 frames, and none is lost or late."""
    router.machine.ok("set mtu 1 68")
    sent = datagram(payload=bytes(i % 251 for i in range(1472)))
    router.send(sent)
    assert put_together([router.receive() for _ in range(31)]) == bytes(sent)[20:]
    router.machine.ok("set mtu 1 1500")


def test_says_how_long_a_packet_may_be_that_must_not_be_fragmented(narrow: Router) -> None:
    """RFC 1191 section 4."""
    narrow.send(datagram(payload=bytes(576 - 28), flags="DF"))
    assert narrow.receive()[IP].len == 576
    narrow.send(datagram(payload=bytes(576 - 27), flags="DF"))
    got = narrow.receive(LEFT)
    assert is_icmp(got, LEFT, 3, 4)
    assert got[ICMP].nexthopmtu == 576
    narrow.require_drops({"mtu_exceeded": 1})


def test_fragments_its_own_messages(router: Router) -> None:
    router.machine.ok("set mtu 0 576")
    request = IP(src=LEFT.address, dst=LEFT.router, id=5, flags="DF") / ICMP(id=7, seq=9) / Raw(bytes(range(250)) * 4)
    router.send(request)
    pieces = [router.receive(LEFT) for _ in range(2)]
    expected = ICMP(type=0, id=7, seq=9) / Raw(bytes(range(250)) * 4)
    assert put_together(pieces) == bytes(expected)
    router.machine.ok("set mtu 0 1500")


def test_no_error_about_what_is_no_first_fragment_or_an_error(router: Router) -> None:
    router.send(datagram("192.168.9.9", frag=100))
    router.send(IP(src=LEFT.address, dst="192.168.9.9") / ICMP(type=11) / IP(dst=LEFT.address) / UDP())
    router.require_drops({"no_route": 2})
    assert router.machine.is_silent(LEFT.port)


def test_limits_the_rate_of_errors_but_not_of_echo_replies(router: Router) -> None:
    burst, offered = 40, 70  # 50, less what the tests before have used up
    router.machine.ok("set icmp_rate_pps 1")
    for _ in range(offered):
        router.send(datagram("192.168.9.9"))
    router.require_drops({"no_route": offered})
    suppressed = router.machine.objects("counters")[-1]["icmp_suppressed"]
    assert 0 < suppressed <= offered - burst
    assert all(is_icmp(router.receive(LEFT), LEFT, 3, 0) for _ in range(offered - suppressed))
    for _ in range(burst):
        router.send(IP(src=LEFT.address, dst=LEFT.router) / ICMP())
    assert all(is_icmp_reply(router.receive(LEFT), LEFT.router) for _ in range(burst))
    router.machine.ok("set icmp_rate_pps 0")
    router.send(datagram("192.168.9.9"))
    router.require_drops({"no_route": offered + 1})
    assert router.machine.is_silent(LEFT.port)
    router.machine.ok("set icmp_rate_pps 1000")


def test_sends_no_redirect(router: Router) -> None:
    """A packet that goes back where it came from is sent there; nobody is told of a better way (as documented)."""
    router.machine.ok(f"neigh add 0 10.0.0.9 {LEFT.mac}")
    router.send(datagram("10.0.0.9"))
    got = router.receive(LEFT)
    assert ICMP not in got and ARP not in got and got[IP].dst == "10.0.0.9"
    assert router.machine.is_silent(LEFT.port)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("set arp_age_s 0", "error: arp_age_s is 1 to 86400, not 0"),
        ("set arp_age_s often", "error: arp_age_s is 1 to 86400, not often"),
        ("set arp_age 5", "error: no setting arp_age: settings lists them"),
        ("set arp_age_s", "usage: set NAME VALUE | set mtu PORT BYTES"),
        ("set mtu 0 67", "error: the MTU of port 0 is 68 to 1500, not 67"),
        ("set mtu 0 1501", "error: the MTU of port 0 is 68 to 1500, not 1501"),
        ("set mtu 9 1500", "error: no port 9: there are 0 to 1"),
    ],
)
def test_a_wrong_setting_gets_one_line(router: Router, line: str, says: str) -> None:
    assert router.machine.command(line) == [says]


def test_settings_are_listed(router: Router) -> None:
    values = {setting["name"]: setting["value"] for setting in router.machine.objects("settings")}
    assert values == {**values, "arp_age_s": 300, "arp_retry_ms": 100, "icmp_rate_pps": 1000}
