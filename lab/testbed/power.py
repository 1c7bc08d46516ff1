"""Power of a server, as data. The drivers are in lab.machines.power."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from lab.document import Record
from lab.testbed.access import Credentials, Host, LocalPath, TcpPort

Oid = Annotated[str, StringConstraints(pattern=r"^\.?\d+(\.\d+)+$")]


class _Power(Record):
    """``limit_s`` is the time in which an asked state must have been reached."""

    limit_s: float = Field(default=60.0, gt=0)


class IpmiPower(_Power):
    """A baseboard controller that speaks IPMI 2.0 over UDP."""

    driver: Literal["ipmi"]
    address: Host
    port: TcpPort = 623
    credentials: Credentials


class RedfishPower(_Power):
    """A baseboard controller that speaks Redfish over HTTPS.

    ``certificate`` is the file with the certificate (or its authority's) that the controller must show; without it
    those of this machine count. ``insecure`` takes any, and ``http`` speaks without TLS: for a network of one's own.
    ``system`` is the name of the system (the last part of its URI), which a controller with one system does not need.
    """

    driver: Literal["redfish"]
    address: Host
    port: TcpPort = 443
    scheme: Literal["https", "http"] = "https"
    certificate: LocalPath | None = None
    insecure: bool = False
    system: str | None = None
    credentials: Credentials


class PduPower(_Power):
    """An outlet of a switched PDU that speaks SNMP v2c; the credentials are its community, alone.

    ``outlet_oid`` is the object that is read for the state and written to change it; ``on`` and ``off`` are its values
    (default: APC PowerNet-MIB, rPDUOutletControlOutletCommand, without the number of the outlet, which is appended).
    ``off_s`` is how long the outlet is off in a cycle, for the server's power supply to run empty. A PDU cannot tell a
    server what to boot from, nor to start: its own boot order must begin with its PXE NIC, and it must be set to start
    when power comes back.
    """

    driver: Literal["pdu"]
    address: Host
    port: TcpPort = 161
    outlet: int = Field(ge=1)
    outlet_oid: Oid = "1.3.6.1.4.1.318.1.1.4.4.2.1.3"
    on: int = 1
    off: int = 2
    off_s: float = Field(default=5.0, ge=0)
    credentials: Credentials


class QemuPower(_Power):
    """A virtual machine that ``start`` starts in the background and whose monitor (QMP) is the socket ``monitor``."""

    driver: Literal["qemu"]
    monitor: LocalPath
    start: str = Field(min_length=1)


class CommandPower(_Power):
    """Commands of the user's own. ``state`` prints the word on or off; each other ends with code 0 when it was done.

    ``reset`` and ``boot_from_network`` may be left out: then power is switched off and on, and the server's own boot
    order must begin with its PXE NIC.
    """

    driver: Literal["command"]
    on: str = Field(min_length=1)
    off: str = Field(min_length=1)
    state: str = Field(min_length=1)
    reset: str | None = None
    boot_from_network: str | None = None


AnyPower = Annotated[IpmiPower | RedfishPower | PduPower | QemuPower | CommandPower, Field(discriminator="driver")]
