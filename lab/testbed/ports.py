"""Ports and the links between them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, field_validator

from lab.document import Record


def _quoted(value: Any) -> Any:
    """YAML 1.1 reads 52:54:00:12:00:00 as a number to the base of 60."""
    if isinstance(value, int):
        raise ValueError(f"YAML reads this MAC address as the number {value}: put it in quotes")
    return value


Mac = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$", to_lower=True), BeforeValidator(_quoted)
]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")]
InterfaceName = Annotated[str, StringConstraints(pattern=r"^[^\s/]{1,15}$")]
PciAddress = Annotated[
    str, StringConstraints(pattern=r"^([0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$", to_lower=True)
]


class Port(Record):
    """One Ethernet port of a node.

    ``address`` is the port's own address with the length of its network. ``nic`` names the model of the card
    (virtio-net, x520, xl710); ``max_rate_pps`` is the packet rate that the card itself does not exceed, where that is
    less than line rate. ``pci`` is given on real machines only; ``interface`` is the name of a Linux network interface,
    for a generator that sends through the kernel, or what has a colon: a form of the generator's own (``vhost:NAME``).
    """

    name: Name
    mac: Mac
    address: IPv4Interface
    speed_gbps: float = Field(gt=0)
    nic: str = Field(min_length=1)
    pci: PciAddress | None = None
    interface: InterfaceName | None = None
    max_rate_pps: float | None = Field(default=None, gt=0)

    @field_validator("mac")
    @classmethod
    def _unicast(cls, mac: str) -> str:
        if int(mac[:2], 16) & 1:
            raise ValueError(f"{mac} is a group address: the lowest bit of the first byte of a port's MAC is 0")
        return mac


class DutPort(Port):
    """A port of the DUT.

    ``qgms`` are the exclusive cores (1 is the first) that have its queue pairs 0, 1, ...; where they are not given, the
    port has one pair and gets its core by its number, in turn.
    """

    qgms: tuple[int, ...] = ()

    @field_validator("qgms")
    @classmethod
    def _each_core_once(cls, qgms: tuple[int, ...]) -> tuple[int, ...]:
        for core in qgms:
            if qgms.count(core) > 1:
                raise ValueError(f"core {core} is named twice: a core takes one queue pair of a port")
        return qgms


class QueuePair(Record):
    """A queue pair of a port, and the exclusive core (1 is the first) whose queue group manager has it."""

    core: int
    port: int
    queue: int


class Route(Record):
    """A route that the DUT gets: frames for ``prefix`` go to the neighbour ``via``."""

    prefix: IPv4Network
    via: IPv4Address


class Link(Record):
    """A cable (or its virtual counterpart) between two ports, each written ``node.port``. Both ends have its speed."""

    ends: tuple[str, str]

    @field_validator("ends")
    @classmethod
    def _node_and_port(cls, ends: tuple[str, str]) -> tuple[str, str]:
        for end in ends:
            if end.count(".") != 1:
                raise ValueError(f"{end!r} is no port: write NODE.PORT, for example dut.p0")
        return ends
