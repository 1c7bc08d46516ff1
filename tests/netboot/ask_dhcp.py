"""Plays machines plugged into a tap: sends a DHCP discover from each MAC, prints the offered address or ``nothing``.

Usage: ask_dhcp.py TAP MAC...
"""

import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000


def checksum(header: bytes) -> int:
    """Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f">{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def discover(mac: bytes) -> bytes:
    """Return a DHCPDISCOVER frame (RFC 2131 section 4.4.1)."""
    bootp = struct.pack(">BBBBIHH16x", 1, 1, 6, 0, 0x1234, 0, 0x8000) + mac + bytes(10 + 64 + 128)
    bootp += bytes.fromhex("63825363 350101 ff") + bytes(60)
    udp = struct.pack(">HHHH", 68, 67, 8 + len(bootp), 0) + bootp
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    header = header[:10] + struct.pack(">H", checksum(header)) + header[12:]
    return b"\xff" * 6 + mac + b"\x08\x00" + header + udp


def offered(tap: int, mac: bytes) -> str:
    """Ask, and wait for two seconds for an offer to this MAC."""
    end_s = time.monotonic() + 2
    os.write(tap, discover(mac))
    while select.select([tap], [], [], max(0.0, end_s - time.monotonic()))[0]:
        frame = os.read(tap, 2000)
        if frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[34:38] == b"\0\x43\0\x44" and frame[70:76] == mac:
            return ".".join(str(byte) for byte in frame[58:62])
    return "nothing"


descriptor = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", sys.argv[1].encode(), IFF_TAP | IFF_NO_PI))
for address in sys.argv[2:]:
    print(offered(descriptor, bytes.fromhex(address.replace(":", ""))))
