from __future__ import annotations

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop
from scapy.layers.l2 import ARP, Dot1Q, Ether

from lab.vtrex import frames


@pytest.mark.parametrize("tags", [0, 1, 2])
@pytest.mark.parametrize("hw_id", [None, 0, 1022])
def test_a_marked_frame_has_the_mark_and_a_valid_checksum(tags: int, hw_id: int | None) -> None:
    packet = Ether()
    for tag in range(tags):
        packet = packet / Dot1Q(vlan=tag + 1)
    packet = packet / IP(src="16.0.0.1", dst="48.0.0.1", tos=8) / UDP(sport=1, dport=2) / bytes(30)
    original = bytes(packet)
    marked = Ether(frames.mark(original, hw_id=hw_id))
    assert marked[IP].id == (0xFFFF if hw_id is None else 0xFC00 + hw_id)
    assert marked[IP].tos == (9 if hw_id is None else 8)
    assert (marked[UDP].chksum == 0) == (hw_id is None)
    fresh = marked[IP].copy()
    del fresh.chksum
    assert IP(bytes(fresh)).chksum == marked[IP].chksum
    assert len(marked) == len(original)


@pytest.mark.parametrize("tags", [0, 1, 2])
@pytest.mark.parametrize("hw_id", [None, 0, 1022])
def test_a_marked_ipv6_frame_has_the_mark_in_its_flow_label(tags: int, hw_id: int | None) -> None:
    packet = Ether()
    for tag in range(tags):
        packet = packet / Dot1Q(vlan=tag + 1)
    packet = packet / IPv6(src="fd00::1", dst="fd00::2", tc=0xA4, fl=0xABCDE) / UDP(sport=1, dport=2) / bytes(30)
    marked = Ether(frames.mark(bytes(packet), hw_id=hw_id))
    assert marked[IPv6].fl == (0xFFFF if hw_id is None else 0xFC00 + hw_id)
    assert marked[IPv6].tc == (0xA5 if hw_id is None else 0xA4)
    assert bytes(marked[UDP]) == bytes(packet[UDP])


def test_headers_behind_extension_headers_are_found() -> None:
    packet = Ether() / IPv6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / TCP()
    found = frames.headers(bytes(packet))
    assert found == frames.Headers(version=6, network=14, transport=14 + 40 + 16, protocol=6)
    assert found.end == len(packet)


@pytest.mark.parametrize(
    "frame",
    [
        bytes(Ether() / ARP()),
        bytes(Ether() / IP())[:30],
        bytes(Ether() / IPv6())[:50],
        bytes(Ether(type=0x0800) / IPv6() / TCP()),
        bytes(Ether() / Dot1Q() / Dot1Q() / Dot1Q() / IP()),
        bytes(14),
    ],
)
def test_what_is_not_ip_has_no_ip_header(frame: bytes) -> None:
    assert frames.headers(frame) is None


def test_addresses_are_replaced_only_when_given() -> None:
    frame = bytes(range(60))
    assert frames.set_macs(frame, None, None) == frame
    assert frames.set_macs(frame, b"SRCMAC", b"DSTMAC") == b"DSTMACSRCMAC" + frame[12:]
