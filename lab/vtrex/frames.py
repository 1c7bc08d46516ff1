"""What the generator itself changes in a stream's frame: addresses, the mark of its flow, checksums."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from lab.vtrex.messages import SHORTEST_FRAME_BYTES

ETHER_BYTES = 14
IPV4_TYPE, IPV6_TYPE = 0x0800, 0x86DD
IPV4_BYTES, IPV6_BYTES = 20, 40
MARK_STATS = 0xFC00
MARK_LATENCY = 0xFFFF
TOS_TO_CPU = 1
TCP, UDP = 6, 17
TRANSPORT_BYTES = {UDP: 8, TCP: 20}
VLAN_TYPES = (0x8100, 0x88A8)
IPV6_EXTENSIONS = (0, 43, 60)  # hop-by-hop options, routing, destination options (RFC 8200, section 4)


@dataclass(frozen=True)
class Headers:
    """Where the headers of an IP frame stand: offsets in bytes."""

    version: int
    network: int
    transport: int
    protocol: int  # of what stands at ``transport``

    @property
    def end(self) -> int:
        """Offset behind the headers that are known."""
        return self.transport + TRANSPORT_BYTES.get(self.protocol, 0)


def pad(frame: bytes) -> bytes:
    """Return the frame filled with zeros up to the shortest Ethernet frame."""
    return frame.ljust(SHORTEST_FRAME_BYTES, b"\0")


def headers(frame: bytes) -> Headers | None:
    """Find the headers of an IPv4 or IPv6 frame, behind up to two VLAN tags; None when it is neither or too short."""
    offset = ETHER_BYTES
    ether_type = int.from_bytes(frame[12:14], "big")
    while ether_type in VLAN_TYPES and offset < ETHER_BYTES + 8:
        ether_type = int.from_bytes(frame[offset + 2 : offset + 4], "big")
        offset += 4
    if ether_type == IPV4_TYPE and len(frame) >= offset + IPV4_BYTES and frame[offset] >> 4 == 4:
        transport = offset + 4 * (frame[offset] & 15)
        good = offset + IPV4_BYTES <= transport <= len(frame)
        return Headers(4, offset, transport, frame[offset + 9]) if good else None
    if ether_type == IPV6_TYPE and len(frame) >= offset + IPV6_BYTES and frame[offset] >> 4 == 6:
        return _ipv6_headers(frame, offset)
    return None


def _ipv6_headers(frame: bytes, offset: int) -> Headers | None:
    transport, protocol = offset + IPV6_BYTES, frame[offset + 6]
    while protocol in IPV6_EXTENSIONS and transport + 8 <= len(frame):
        protocol, transport = frame[transport], transport + 8 * (frame[transport + 1] + 1)
    return Headers(6, offset, transport, protocol) if transport <= len(frame) else None


def ipv4_checksum(header: bytes) -> int:
    """Return the Internet checksum of a header whose checksum field is zero (RFC 1071)."""
    total: int = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


def set_macs(frame: bytes, src: bytes | None, dst: bytes | None) -> bytes:
    """Return the frame with the given addresses; None keeps the frame's own."""
    return (dst or frame[0:6]) + (src or frame[6:12]) + frame[12:]


def mark(frame: bytes, *, hw_id: int | None, payload_varies: bool = False) -> bytes:
    """Return an IP frame marked as one of a flow, in its IPv4 identification or its IPv6 flow label.

    Args:
        frame: an IPv4 or IPv6 frame.
        hw_id: of a "stats" flow; None marks a latency frame, whose payload always varies.
        payload_varies: time stamp or sequence number in its payload differ from frame to frame, so it loses its UDP
            checksum over IPv4 (RFC 768: 0 = none). Over IPv6 there must be one: the engine computes it.

    """
    at = headers(frame)
    assert at is not None
    out, ip = bytearray(frame), at.network
    number = MARK_LATENCY if hw_id is None else MARK_STATS + hw_id
    if at.version == 6:
        word = int.from_bytes(out[ip : ip + 4], "big") & 0xFFF00000 | number
        struct.pack_into(">I", out, ip, word | (TOS_TO_CPU << 20 if hw_id is None else 0))
        return bytes(out)
    struct.pack_into(">H", out, ip + 4, number)
    if hw_id is None:
        out[ip + 1] |= TOS_TO_CPU
    if (hw_id is None or payload_varies) and at.protocol == UDP and at.end <= len(out):
        out[at.transport + 6 : at.transport + 8] = b"\0\0"
    out[ip + 10 : ip + 12] = b"\0\0"
    struct.pack_into(">H", out, ip + 10, ipv4_checksum(bytes(out[ip : at.transport])))
    return bytes(out)
