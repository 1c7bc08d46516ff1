"""What the generator itself changes in a stream's frame: addresses, the mark of its flow, checksums."""

from __future__ import annotations

import struct

from lab.vtrex.messages import SHORTEST_FRAME_BYTES

ETHER_BYTES = 14
IP_ID_STATS = 0xFC00
IP_ID_LATENCY = 0xFFFF
TOS_TO_CPU = 1
UDP = 17
VLAN_TYPES = (0x8100, 0x88A8)


def pad(frame: bytes) -> bytes:
    """Return the frame filled with zeros up to the shortest Ethernet frame."""
    return frame.ljust(SHORTEST_FRAME_BYTES, b"\0")


def ipv4_offset(frame: bytes) -> int | None:
    """Return where the IPv4 header begins, behind up to two VLAN tags; None when the frame is not IPv4."""
    offset = ETHER_BYTES
    ether_type = int.from_bytes(frame[12:14], "big")
    while ether_type in VLAN_TYPES and offset < ETHER_BYTES + 8:
        ether_type = int.from_bytes(frame[offset + 2 : offset + 4], "big")
        offset += 4
    if ether_type != 0x0800 or len(frame) < offset + 20 or frame[offset] >> 4 != 4 or frame[offset] & 15 < 5:
        return None
    return offset if offset + 4 * (frame[offset] & 15) <= len(frame) else None


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
    """Return an IPv4 frame marked as one of a flow.

    Args:
        frame: an IPv4 frame.
        hw_id: of a "stats" flow; None marks a latency frame, whose payload always varies.
        payload_varies: time stamp or sequence number in its payload differ from frame to frame, so it loses its UDP
            checksum (RFC 768: 0 = none).

    """
    offset = ipv4_offset(frame)
    assert offset is not None
    out = bytearray(frame)
    end = offset + 4 * (out[offset] & 15)
    struct.pack_into(">H", out, offset + 4, IP_ID_LATENCY if hw_id is None else IP_ID_STATS + hw_id)
    if hw_id is None:
        out[offset + 1] |= TOS_TO_CPU
    if (hw_id is None or payload_varies) and out[offset + 9] == UDP and end + 8 <= len(out):
        out[end + 6 : end + 8] = b"\0\0"
    out[offset + 10 : offset + 12] = b"\0\0"
    struct.pack_into(">H", out, offset + 10, ipv4_checksum(bytes(out[offset:end])))
    return bytes(out)
