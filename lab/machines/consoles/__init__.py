"""Serial consoles: through a baseboard controller, a console server, a serial port, or QEMU."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lab.errors import TestbedUnreachable
from lab.machines.consoles.console import FIFO_BYTES, Console
from lab.machines.consoles.serial_port import open_serial
from lab.machines.consoles.sockets import connect_tcp, connect_unix
from lab.machines.consoles.sol import connect_sol
from lab.machines.consoles.stream import ByteStream, Mark, StreamLost
from lab.machines.consoles.telnet import TelnetStream
from lab.machines.protocol import ConsoleLink
from lab.testbed.consoles import AnyConsole, QemuConsole, SerialConsole, SolConsole, TcpConsole, TelnetConsole

RECONNECT_S = 30.0


def open_console(console: AnyConsole, log: Path, *, reconnect_s: float = RECONNECT_S) -> ConsoleLink:
    """Connect to a console.

    Args:
        console: which.
        log: all that arrives is appended to it, each line with the time that it came at; made where there is none.
        reconnect_s: how long after a break it is tried to connect again; 0: not at all.

    Raises:
        TestbedUnreachable: there is no connection.
        UsageError: the credentials are not where the testbed says.
        LabError: a tool is missing.

    """
    try:
        return Console(
            partial(_connect, console),
            log,
            reconnect_s=reconnect_s,
            # QEMU hands on a character when its machine has room for it.
            burst_bytes=None if isinstance(console, QemuConsole) else FIFO_BYTES,
        )
    except StreamLost as loss:
        raise TestbedUnreachable(f"the console {_name(console)}: {loss}") from loss


def _connect(console: AnyConsole, mark: Mark) -> ByteStream:
    match console:
        case SolConsole():
            return connect_sol(console, mark)
        case TelnetConsole():
            return TelnetStream(connect_tcp(console.address, console.port))
        case TcpConsole():
            return connect_tcp(console.address, console.port)
        case SerialConsole():
            return open_serial(console.device, console.baud)
        case QemuConsole():
            return connect_unix(console.path)


def _name(console: AnyConsole) -> str:
    """Name a console for an error."""
    match console:
        case SerialConsole():
            return f"{console.device} (serial)"
        case QemuConsole():
            return f"{console.path} (qemu)"
        case _:
            return f"{console.address} port {console.port} ({console.driver})"
