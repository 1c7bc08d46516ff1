"""Consoles behind sockets: a console server that hands the line's bytes on, and QEMU."""

from __future__ import annotations

import socket
from pathlib import Path

from lab.machines.consoles.stream import DescriptorStream, StreamLost, reason_of

CONNECT_LIMIT_S = 5.0


def connect_tcp(address: str, port: int) -> DescriptorStream:
    """Connect to a console server that hands bytes on as they are; StreamLost where that cannot be.

    One that vanishes without a word is found by the kernel within 20 s (tcp(7): TCP_KEEPIDLE and the two beside it).
    """
    try:
        connection = socket.create_connection((address, port), CONNECT_LIMIT_S)
    except OSError as error:
        raise StreamLost(f"{reason_of(error)}: check address and port, and whether the console server runs") from error
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 3), (socket.TCP_KEEPCNT, 3)):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return DescriptorStream(connection.detach())


def connect_unix(path: Path) -> DescriptorStream:
    """Connect to a character device of QEMU; StreamLost where that cannot be."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        raise StreamLost(f"{path}: {reason_of(error)}") from error
    return DescriptorStream(connection.detach(), "the machine closed its console")
