"""Serial consoles of servers, as data. The drivers are in lab.machines.consoles."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lab.document import Record
from lab.testbed.access import Credentials, Host, LocalPath, TcpPort


class SolConsole(Record):
    """The console through the baseboard controller (IPMI serial over LAN)."""

    driver: Literal["sol"]
    address: Host
    port: TcpPort = 623
    credentials: Credentials


class TelnetConsole(Record):
    """A console server that speaks telnet (ser2net, a terminal server)."""

    driver: Literal["telnet"]
    address: Host
    port: TcpPort


class TcpConsole(Record):
    """A console server that hands the line's bytes on as they are (ser2net, raw)."""

    driver: Literal["tcp"]
    address: Host
    port: TcpPort


class SerialConsole(Record):
    """A serial port of the machine that runs the lab."""

    driver: Literal["serial"]
    device: LocalPath
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 115200


class QemuConsole(Record):
    """The unix socket of a character device of QEMU."""

    driver: Literal["qemu"]
    path: LocalPath


AnyConsole = Annotated[
    SolConsole | TelnetConsole | TcpConsole | SerialConsole | QemuConsole, Field(discriminator="driver")
]
