"""``interfaces`` of TRex's configuration file: what each entry is among the forms of ``--port``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lab.errors import UsageError
from lab.vtrex.port_options import BY_QDISC, parse_port
from lab.vtrex.settings import MOST_PORTS, WIRE

DUMMY = "dummy"  # TRex wants ports in pairs and lets this stand for one that is not there
_PCI = re.compile(r"(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)


def ports_of(interfaces: Sequence[str]) -> tuple[str, ...]:
    """Return the port forms of interfaces; dummies may only stand at the end, as port numbers count them.

    Raises:
        UsageError: there is none, too many, or one is of no known form.

    """
    real = list(interfaces)
    while real and real[-1] == DUMMY:
        real.pop()
    if not real or DUMMY in real:
        raise UsageError("interfaces: 'dummy' may only follow the interfaces that are there, and there must be one")
    if len(real) > MOST_PORTS:
        raise UsageError(f"interfaces: {len(real)} are given; there can be {MOST_PORTS} ports at most")
    if WIRE in real:
        if real != [WIRE, WIRE]:
            raise UsageError(f"interfaces: '{WIRE}' stands for two joined ports: [{WIRE}, {WIRE}] and nothing else")
        return (WIRE, WIRE)
    ports = tuple(map(_port, real))
    for port in ports:
        parse_port(port, 0)
    return ports


def _port(interface: str) -> str:
    """Return the value of ``--port`` that an entry of ``interfaces`` means.

    TRex has PCI addresses, DPDK's ``--vdev=`` and names of network interfaces; all else is taken as this generator's
    own form.
    """
    if _PCI.fullmatch(interface):
        return f"dpdk:{interface if interface.count(':') == 2 else f'0000:{interface}'}"
    if interface.startswith("--vdev="):
        driver, *arguments = interface.removeprefix("--vdev=").split(",")
        names = [argument.removeprefix("iface=") for argument in arguments if argument.startswith("iface=")]
        if driver.startswith("net_af_packet") and len(names) == 1:
            by_qdisc = f",{BY_QDISC}" if BY_QDISC in arguments else ""
            return f"af_packet:{names[0]}{by_qdisc}"  # with rings that this generator needs
        return f"dpdk:{interface.removeprefix('--vdev=')}"
    return interface if ":" in interface or interface == "ring" else f"af_packet:{interface}"
