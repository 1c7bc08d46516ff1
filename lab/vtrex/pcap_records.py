"""Captured frames in the two file formats of packet captures, a header and then a piece for each frame.

pcap: the classic format with nanoseconds (magic 0xa1b23c4d). pcapng: draft-ietf-opsawg-pcapng, one section with one
interface whose times are nanoseconds; the direction stands in the flags of a frame. A frame's port is not written.
"""

from __future__ import annotations

import struct
import time

from lab.vtrex.captures import CapturedFrame

ETHERNET = 1
LONGEST = 65535
FORMATS = ("pcapng", "pcap")
_RECEIVED, _SENT = 1, 2


def header(kind: str) -> bytes:
    """Return what a file of the format ``kind`` (one of FORMATS) begins with."""
    if kind == "pcap":
        return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, LONGEST, ETHERNET)
    section = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    nanoseconds = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)
    return section + _block(1, struct.pack("<HHI", ETHERNET, 0, LONGEST) + nanoseconds)


def piece(kind: str, frame: CapturedFrame) -> bytes:
    """Return a frame as the format ``kind`` has it; its time is turned into that of day."""
    at_ns = int((frame.time_s - time.monotonic() + time.time()) * 1e9)
    if kind == "pcap":
        return struct.pack("<IIII", at_ns // 10**9, at_ns % 10**9, len(frame.data), frame.wire_bytes) + frame.data
    head = struct.pack("<IIIII", 0, at_ns >> 32, at_ns & 0xFFFFFFFF, len(frame.data), frame.wire_bytes)
    flags = struct.pack("<HHIHH", 2, 4, _SENT if frame.sent else _RECEIVED, 0, 0)
    return _block(6, head + frame.data + bytes(-len(frame.data) % 4) + flags)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)
