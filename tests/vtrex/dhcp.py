"""As much of DHCP (RFC 2131) as a network boot ROM needs, frame by frame."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

CLIENT = "198.18.0.5"
SERVER = "198.18.0.1"
SERVER_MAC = bytes.fromhex("027674727800")  # of vtrex's port 0
UDP = 17
COOKIE = b"\x63\x82\x53\x63"
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
_REQUESTED, _LEASE_S, _TYPE, _SERVER, _MASK, _END = 50, 51, 53, 54, 1, 255


@dataclass(frozen=True)
class Asked:
    """A message of a client: its kind, what answers must repeat, and the address that it asks for."""

    kind: int
    head: bytes
    requested: str | None


def _message(frame: bytes) -> bytes | None:
    """Return what a UDP frame to a DHCP server carries, None for others."""
    if frame[12:14] != b"\x08\x00" or frame[23] != UDP or struct.unpack_from(">H", frame, 36)[0] != 67:
        return None
    return frame[42 : 34 + struct.unpack_from(">H", frame, 38)[0]]


def asked(frame: bytes) -> Asked | None:
    """Return what a client asks, None for other frames."""
    message = _message(frame)
    if message is None or message[236:240] != COOKIE:
        return None
    options: dict[int, bytes] = {}
    at = 240
    while message[at] != _END:
        length = message[at + 1] if message[at] else -1  # 0 pads
        options[message[at]] = message[at + 2 : at + 2 + length]
        at += 2 + length
    requested = socket.inet_ntoa(options[_REQUESTED]) if _REQUESTED in options else None
    return Asked(options[_TYPE][0], message[:44], requested)


def answer(to: Asked, kind: int) -> bytes:
    """Return the frame of an answer: the client's address and who gave it."""
    addresses = bytes(4) + socket.inet_aton(CLIENT) + socket.inet_aton(SERVER) + bytes(4)
    message = b"\x02" + to.head[1:12] + addresses + to.head[28:44] + bytes(192) + COOKIE
    server, mask = socket.inet_aton(SERVER), socket.inet_aton("255.255.255.0")
    for code, value in ((_TYPE, bytes([kind])), (_SERVER, server), (_MASK, mask), (_LEASE_S, b"\0\0\x0e\x10")):
        message += bytes([code, len(value)]) + value
    message += bytes([_END])
    udp = struct.pack(">HHHH", 67, 68, 8 + len(message), 0) + message
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, UDP, 0) + server + b"\xff" * 4
    total = sum(struct.unpack(">10H", ip))
    total = (total & 0xFFFF) + (total >> 16)
    return b"\xff" * 6 + SERVER_MAC + b"\x08\x00" + ip[:10] + struct.pack(">H", ~total & 0xFFFF) + ip[12:] + udp
