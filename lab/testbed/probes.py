"""Questions to a machine or an interface that need no driver: is it there? Each raises OSError where it is not."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
from ipaddress import IPv4Address
from pathlib import Path

ANSWER_LIMIT_S = 3.0

# RMCP presence ping: header (version 6, no sequence, class ASF), message type 80h (DMTF DSP0136 sections 3.2.2, 3.2.4).
RMCP_PING = bytes.fromhex("06 00 ff 06 00 00 11 be 80 00 00 00")

_ECHO_REQUEST, _ECHO_REPLY = 8, 0  # RFC 792


def ping(host: str) -> str:
    """Send an ICMP echo request (RFC 792) and wait for its answer; return the address that answered."""
    address = socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0]
    number = os.getpid() & 0xFFFF
    request = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, number, 1)
    request = struct.pack("!BBHHH", _ECHO_REQUEST, 0, _checksum(request), number, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as asker:
        asker.settimeout(ANSWER_LIMIT_S)
        asker.connect((address, 0))
        asker.send(request)
        while True:
            answer = asker.recv(128)
            header_bytes = 4 * (answer[0] & 15)
            kind, _, _, theirs, _ = struct.unpack("!BBHHH", answer[header_bytes : header_bytes + 8])
            if (kind, theirs) == (_ECHO_REPLY, number):
                return str(address)


def tcp(host: str, port: int) -> str:
    """Connect and close again; return nothing worth telling."""
    socket.create_connection((host, port), timeout=ANSWER_LIMIT_S).close()
    return ""


def rmcp(host: str, port: int) -> str:
    """Ask a BMC by RMCP ping: IPMI is spoken over UDP, where a connect says nothing."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as asker:
        asker.settimeout(ANSWER_LIMIT_S)
        asker.connect(address)
        asker.send(RMCP_PING)
        asker.recv(64)
    return "answers RMCP"


def interface(name: str, client: IPv4Address | None) -> str:
    """Look at the interface that a server is served on: it is there, is up and has a link.

    Asked of ip(8), as sysfs may show the interfaces of another network namespace than the thread's.

    Args:
        name: of the interface.
        client: address that the server gets there; None: another DHCP server gives it.

    """
    done = subprocess.run(["ip", "-json", "link", "show", "dev", name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(0, "no such network interface on this machine")
    flags = json.loads(done.stdout)[0]["flags"]
    if "UP" not in flags:
        raise OSError(0, f"the interface is down: run 'ip link set {name} up'")
    if "LOWER_UP" not in flags:
        raise OSError(0, "the interface has no link: check its cable")
    return f"up, with a link; serves {client}" if client else "up, with a link"


def file(path: Path) -> str:
    """Look for a file that can be read; return its size."""
    with path.open("rb"):
        return f"{path.stat().st_size} bytes"


def _checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return int(~(total + (total >> 16)) & 0xFFFF)
