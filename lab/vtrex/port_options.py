"""The ``--port`` options of a server: what each means, and which go together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lab.errors import UsageError, near_misses
from lab.vtrex.devices import PCI_FORM, Device, Dgram, Dpdk, Interface, Ring, Stream, Vhost, Wire
from lab.vtrex.settings import MOST_PORTS, WIRE

MOST_QUEUES = 16  # engine/queues.h
BY_QDISC = "qdisc_bypass=0"  # as DPDK's net_af_packet has it
_VDEV = re.compile(r"(net_[a-z0-9_]+)(,.*)?")

FORMS = {
    "vhost": "vhost:PATH[,queues=N][,client]",
    "dgram": "dgram:LOCAL,PEER",
    "stream": "stream:PATH[,server]",
    "af_packet": "af_packet:IFACE[,qdisc_bypass=0]",
    "af_xdp": "af_xdp:IFACE",
    "dpdk": "dpdk:PCI-ADDRESS or dpdk:net_NAME[,ARGUMENTS]",
    "ring": "ring",
}


def parse_ports(ports: Sequence[str], netns: str | None) -> tuple[Device, ...]:
    """Return the devices of all ``--port`` options.

    Args:
        ports: the options' values, or twice WIRE: two ports joined to each other.
        netns: as given; refused where no device has to do with it.

    Raises:
        UsageError: a value is of no known form, or they do not go together.

    """
    if not ports:
        raise UsageError("no ports: give either --wire or one --port for each, or --cfg (`pixlab vtrex ports` helps)")
    if len(ports) > MOST_PORTS:
        raise UsageError(f"{len(ports)} ports were given; there can be {MOST_PORTS} at most")
    devices: list[Device] = [Wire()] if tuple(ports) == (WIRE, WIRE) else []
    for index, port in enumerate(() if devices else ports):
        device = parse_port(port, index)
        if any(device.name == other.name for other in devices):
            raise UsageError(f"--port '{port}': {device.name} is given twice")
        devices.append(device)
    if netns is not None and not any(device.in_namespace for device in devices):
        raise UsageError("--netns is for ports af_packet:IFACE, af_xdp:IFACE and dpdk:net_...; there is none")
    return tuple(devices)


def parse_port(port: str, index: int) -> Device:
    """Return the device that a ``--port`` option names.

    Args:
        port: the option's value.
        index: the port's number.

    Raises:
        UsageError: it names none.

    """
    kind, _, words = port.partition(":")
    if kind not in FORMS:
        raise UsageError(f"--port '{port}' is not of the form {_forms()}: '{kind}'? {near_misses(kind, FORMS)}")
    device = _PARSERS[kind](words, index)
    if device is None:
        raise UsageError(f"--port '{port}' is not of the form {FORMS[kind]}")
    return device


def _forms() -> str:
    return ", ".join(FORMS.values())


def _vhost(words: str, index: int) -> Device | None:
    path, *options = words.split(",")
    queues, client = 1, False
    for option in options:
        name, equals, value = option.partition("=")
        if option == "client":
            client = True
        elif name == "queues" and equals:
            if not value.isdecimal() or not 1 <= int(value) <= MOST_QUEUES:
                raise UsageError(f"--port 'vhost:{words}': queues is not a number from 1 to {MOST_QUEUES}")
            queues = int(value)
        else:
            return None
    return Vhost(path, queues, client) if path else None


def _dgram(words: str, index: int) -> Device | None:
    local, _, peer = words.partition(",")
    if local and local == peer:
        raise UsageError(f"--port 'dgram:{words}': both sockets are the same")
    return Dgram(local, peer) if local and peer else None


def _stream(words: str, index: int) -> Device | None:
    path, comma, side = words.partition(",")
    return Stream(path, bool(comma)) if path and side == ("server" if comma else "") else None


def _dpdk(words: str, index: int) -> Device | None:
    pci = PCI_FORM.fullmatch(words)
    if pci:
        return Dpdk(f"{pci['domain'] or '0000'}:{pci['rest']}".lower(), pci["arguments"] or "")
    virtual = _VDEV.fullmatch(words)
    return Dpdk(virtual[1], virtual[2] or "") if virtual else None


def _af_packet(words: str, index: int) -> Interface | None:
    name, _, option = words.partition(",")
    by_qdisc = option == BY_QDISC
    return Interface("af_packet", name if by_qdisc else words, by_qdisc) if name else None


_PARSERS: dict[str, Callable[[str, int], Device | None]] = {
    "vhost": _vhost,
    "dgram": _dgram,
    "stream": _stream,
    "af_packet": _af_packet,
    "af_xdp": lambda words, index: Interface("af_xdp", words) if words else None,
    "dpdk": _dpdk,
    "ring": lambda words, index: None if words else Ring(index),
}
