"""Frames for a router with a tester on each of its ports: right ones, nearly right ones, and any bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hypothesis import strategies as st

ETHERNET = 14
LONGEST = 1500  # bytes of an IPv4 packet


@dataclass(frozen=True)
class Link:
    """A port of the router, the tester on it, and a network behind the tester."""

    port: int

    @property
    def router(self) -> str:
        return f"10.0.{self.port}.1"

    @property
    def tester(self) -> str:
        return f"10.0.{self.port}.2"

    @property
    def far_network(self) -> str:
        return f"172.{16 + self.port}.0.0/16"

    @property
    def router_mac(self) -> str:
        return f"52:54:00:00:00:{self.port + 1:02x}"

    @property
    def tester_mac(self) -> str:
        return f"02:00:00:00:01:{self.port:02x}"


LINKS = [Link(port) for port in range(4)]


def ones_complement_sum(data: bytes) -> int:
    """RFC 1071, written as its definition: 16-bit words in network order, end-around carry."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def packet(
    source: bytes, destination: bytes, ttl: int, protocol: int, options: bytes, flags: int, data: bytes
) -> bytes:
    """Return an IPv4 packet; options are a multiple of four bytes."""
    length = 20 + len(options)
    fields = (0x40 | length // 4, 0, length + len(data), 7, flags, ttl, protocol, 0, source, destination)
    header = bytearray(struct.pack(">BBHHHBBH4s4s", *fields) + options)
    struct.pack_into(">H", header, 10, 0xFFFF - ones_complement_sum(bytes(header)))
    return bytes(header) + data


@dataclass(frozen=True)
class Datagram:
    """A right one from one tester to another, or to a host behind that."""

    source: Link
    target: Link
    host: int
    ttl: int
    options: bytes
    size: int

    @staticmethod
    def strategy() -> st.SearchStrategy[Datagram]:
        return st.builds(
            Datagram,
            st.sampled_from(LINKS),
            st.sampled_from(LINKS),
            st.one_of(st.none(), st.integers(0, 65535)).map(lambda host: -1 if host is None else host),
            st.integers(2, 255),
            st.sampled_from([b"", b"\1\1\1\0", b"\1" * 36 + bytes(4)]),
            st.one_of(st.integers(0, 200), st.integers(0, LONGEST - 76)),
        )

    def _packet(self, number: int, ttl: int) -> bytes:
        far = bytes([172, 16 + self.target.port]) + self.host.to_bytes(2, "big") if self.host >= 0 else b""
        head = struct.pack(">HHHHII", 1, 2, 16 + self.size, 0, self.source.port, number)
        data = head + bytes((number + i) % 256 for i in range(self.size))
        source, target = (bytes([10, 0, link.port, 2]) for link in (self.source, self.target))
        return packet(source, far or target, ttl, 17, self.options, 0, data)

    def frame(self, number: int) -> bytes:
        """Return the frame as it comes in."""
        head = mac(self.source.router_mac) + mac(self.source.tester_mac) + b"\x08\x00"
        return (head + self._packet(number, self.ttl)).ljust(60, b"\0")

    def forwarded(self, number: int) -> bytes:
        """Return the frame as it has to leave."""
        head = mac(self.target.tester_mac) + mac(self.target.router_mac) + b"\x08\x00"
        return (head + self._packet(number, self.ttl - 1)).ljust(60, b"\0")


def source_port(frame: bytes) -> int:
    """Return the port whose tester a datagram came from, by its IPv4 source."""
    return frame[ETHERNET + 14]


addresses = st.one_of(
    st.builds(
        lambda port, host: bytes([10, 0, port, host]), st.integers(0, 4), st.sampled_from([0, 1, 2, 77, 78, 255])
    ),
    st.builds(lambda port, host: bytes([172, 16 + port, 0, host]), st.integers(0, 4), st.integers(0, 255)),
    st.sampled_from([bytes(4), b"\xff" * 4, b"\x7f\0\0\1", b"\xe0\0\0\5", b"\xf0\0\0\1", b"\x08\x08\x08\x08"]),
)
link_addresses = st.sampled_from(
    [*[mac(link.router_mac) for link in LINKS] * 3, b"\xff" * 6, b"\1\0\x5e\0\0\5", b"\2" * 6]
)


@st.composite
def ipv4(draw: st.DrawFn) -> bytes:
    """Return a packet whose header is right, whatever it carries."""
    protocol = draw(st.sampled_from([1, 1, 6, 17, 17, 47]))
    data = draw(st.one_of(st.binary(max_size=64), st.integers(0, 1460).map(bytes)))
    if protocol == 1:
        icmp = bytes([draw(st.sampled_from([8, 8, 0, 3, 11, 13, 42])), 0, 0, 0]) + data
        data = icmp[:2] + struct.pack(">H", 0xFFFF - ones_complement_sum(icmp)) + icmp[4:]
    options = draw(
        st.sampled_from([b"", b"", b"\1\1\1\0", b"\x83\7\4\n\0\1\2\0", b"\x94\4\0\0", b"\7\x27\4" + bytes(37)])
    )
    flags = draw(st.sampled_from([0, 0, 0x4000, 0x2000, 0x2005, 0x0005, 0x8000]))
    ttl = draw(st.sampled_from([0, 1, 2, 64, 255]))
    source = draw(addresses)
    destination = draw(st.one_of(addresses, addresses, addresses, st.just(source)))
    return packet(source, destination, ttl, protocol, options, flags, data)


@st.composite
def arp(draw: st.DrawFn) -> bytes:
    """Return an ARP packet of any operation between any of the addresses."""
    head = bytes.fromhex("000108000604") + draw(st.sampled_from([b"\0\1", b"\0\2", b"\0\1", b"\0\2", b"\0\3"]))
    routers = st.sampled_from([bytes([10, 0, link.port, 1]) for link in LINKS])
    testers = st.sampled_from([bytes([10, 0, link.port, 77]) for link in LINKS])
    sender = draw(link_addresses) + draw(st.one_of(testers, addresses))
    return head + sender + draw(link_addresses) + draw(st.one_of(routers, addresses))


@st.composite
def any_frame(draw: st.DrawFn) -> bytes:
    """Return a frame of up to 1514 bytes: right, cut, continued, with some bytes changed, or without any sense."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=100))
    body = draw(arp()) if kind < 3 else draw(ipv4())
    ethertype = b"\x08\x06" if kind < 3 else b"\x08\x00"
    frame = bytearray(draw(link_addresses) + b"\2\0\0\0\1\0" + ethertype + body)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        frame[draw(st.integers(0, min(len(frame), 60) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.sampled_from([0, 0, 0, 1, 1, 10, 60, 1514]))
    frame = frame[: len(frame) - draw(st.integers(0, min(cut, len(frame))))]
    padded = draw(st.sampled_from([0, 0, 60, 60, 60, 200]))
    return bytes(frame.ljust(padded, b"\0"))[:1514]
