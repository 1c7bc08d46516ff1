"""What a Linux counts of the frames that it routes: /sys/class/net/*/statistics, /proc/net/snmp and netstat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lab.dut.counters import Counters, PortCounters
from lab.dut.shell import Shell
from lab.errors import DutError
from lab.models import Model

_STATISTIC = re.compile(r"^/sys/class/net/(?P<name>\S+)/statistics/(?P<what>\w+):(?P<value>\d+)$")

_COUNTED = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes")

# Linux's names (RFC 4293, net/ipv4/proc.c) by PIX's, where they count the same and nothing else.
_SAME = {"no_route": "InNoRoutes", "ip_checksum": "InCsumErrors", "ip_total_length": "InTruncatedPkts"}
# What Linux counts together: version, header length and an expired TTL are all InHdrErrors, and checksums once more.
_TOGETHER = {"linux_header": "InHdrErrors", "linux_address": "InAddrErrors", "linux_discarded": "InDiscards"}

OWN_REASONS = frozenset(_SAME)
"""The reasons for drops that Linux counts as PIX does, each by itself."""


class Reading(Model):
    """All counters at one time: of interfaces by name and kind, of IPv4 by Linux's names."""

    interfaces: dict[str, dict[str, int]]
    ipv4: dict[str, int]


def read(shell: Shell, names: Sequence[str]) -> Reading:
    """Read the counters of these interfaces and of IPv4.

    Raises:
        DutError: something of them is not told.

    """
    interfaces: dict[str, dict[str, int]] = {name: {} for name in names}
    lines = shell.tell("grep . " + " ".join(f"/sys/class/net/{name}/statistics/?x_[pbde]*" for name in names))
    for match in filter(None, map(_STATISTIC.match, lines)):
        interfaces[match["name"]][match["what"]] = int(match["value"])
    ipv4 = _tables(shell.tell("grep -h ^Ip /proc/net/snmp /proc/net/netstat"))
    missing = [f"{name} {what}" for name, told in interfaces.items() for what in _COUNTED if what not in told]
    missing += [what for what in (*_SAME.values(), *_TOGETHER.values()) if what not in ipv4]
    if missing:
        raise DutError(f"the DUT does not tell its counter {missing[0]}: is it a Linux with /proc and /sys?")
    return Reading(interfaces=interfaces, ipv4=ipv4)


def _tables(lines: Iterable[str]) -> dict[str, int]:
    """Read pairs of lines: a protocol and names, the same protocol and values."""
    found: dict[str, int] = {}
    names: list[str] = []
    for line in lines:
        words = line.split()[1:]
        if words and words[0].lstrip("-").isdigit():
            found |= {name: int(value) for name, value in zip(names, words, strict=False)}
        names = words
    return found


def of_ports(now: Reading, zero: Reading | None) -> Counters:
    """Return what the interfaces counted since ``zero``, in the order in which they were read."""
    ports = []
    for number, (name, told) in enumerate(now.interfaces.items()):
        since = _since(told, zero.interfaces.get(name, {}) if zero else {})
        drops = {what: count for what, count in since.items() if what.endswith(("_dropped", "_errors"))}
        counted = {what: since[what] for what in _COUNTED}
        ports.append(PortCounters(port=number, drops=drops, **counted))
    return Counters(ports=tuple(ports))


def drops(now: Reading, zero: Reading | None) -> dict[str, int]:
    """Return the drops since ``zero`` by reason, of interfaces and of IPv4; those that never struck are left out."""
    ipv4 = _since(now.ipv4, zero.ipv4 if zero else {})
    found = of_ports(now, zero).drops()
    found |= {reason: ipv4[name] for reason, name in (_SAME | _TOGETHER).items()}
    found["linux_header"] -= found["ip_checksum"]
    return {reason: count for reason, count in found.items() if count}


def _since(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {name: value - before.get(name, 0) for name, value in now.items()}
