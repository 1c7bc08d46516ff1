"""A hand on a core's registers: the few words of the GDB remote protocol that QEMU's stub needs for it."""

from __future__ import annotations

import re
import socket
from pathlib import Path

RIP = 16  # number of the instruction pointer in GDB's order of x86-64 registers
TIMEOUT_S = 10.0


def jump(stub: Path, core: int, address: int, only_from: range | None = None) -> bool:
    """Stop the machine, have a core go on at an address, and let the machine run.

    Returns False, and changes nothing, when ``only_from`` is given and the core is not within it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.connect(str(stub))
        _exchange(connection, "qXfer:features:read:target.xml:0,ffb")  # QEMU sets no register for those who never asked
        _require_ok(connection, f"Hg{core + 1}")
        at = int.from_bytes(bytes.fromhex(_exchange(connection, f"p{RIP:x}")), "little")
        jumps = only_from is None or at in only_from
        if jumps:
            _require_ok(connection, f"P{RIP:x}={address.to_bytes(8, 'little').hex()}")
        _require_ok(connection, "D")
        return jumps


def _require_ok(connection: socket.socket, packet: str) -> None:
    answer = _exchange(connection, packet)
    if answer != "OK":
        raise RuntimeError(f"QEMU's debugger answers {answer!r} to {packet!r}")


def _exchange(connection: socket.socket, packet: str) -> str:
    """Send a packet and return the answer's content; what QEMU says of stopped threads in between is no answer."""
    checksum = sum(packet.encode()) % 256
    connection.sendall(f"${packet}#{checksum:02x}".encode())
    got = b""
    while True:
        found = re.search(rb"\$([^#]*)#..", got)
        if found:
            connection.sendall(b"+")
            got = got[found.end() :]
            answer = found.group(1).decode()
            if not answer.startswith("T"):
                return answer
            continue
        part = connection.recv(4096)
        if not part:
            raise ConnectionError(f"QEMU's debugger closed after {packet!r}")
        got += part
