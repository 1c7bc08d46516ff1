"""What a Linux counts of the frames that it routes: /sys/class/net/*/statistics, /proc/net/snmp and netstat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lab.dut.counters import Counters, PortCounters
from lab.dut.shell import Shell
from lab.errors import DutError
from lab.metrics.hops import PortTally, Tally
from lab.models import Model

_STATISTIC = re.compile(r"^/sys/class/net/(?P<name>\S+)/statistics/(?P<what>\w+):(?P<value>\d+)$")

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_COUNTED = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes")

# Linux's names (RFC 4293, net/ipv4/proc.c) by PIX's, where they count the same and nothing else.
_SAME = {"no_route": "InNoRoutes", "ip_checksum": "InCsumErrors", "ip_total_length": "InTruncatedPkts"}
# What Linux counts together: version, header length and an expired TTL are all InHdrErrors, and checksums once more.
_TOGETHER = {"linux_header": "InHdrErrors", "linux_address": "InAddrErrors", "linux_discarded": "InDiscards"}

_OF_IPV4 = frozenset(_SAME | _TOGETHER)

OWN_REASONS = frozenset(_SAME)
"""The reasons for drops that Linux counts as PIX does, each by itself."""


class Reading(Model):
    """All counters at one time: of interfaces by name and kind, of IPv4 by Linux's names.

    ``boot`` is the kernel's own name of its start (random(4): boot_id).
    """

    boot: str
    interfaces: dict[str, dict[str, int]]
    ipv4: dict[str, int]


def read(shell: Shell, names: Sequence[str]) -> Reading:
    """Read the counters of these interfaces and of IPv4.

    Raises:
        DutError: something of them is not told.

    """
    interfaces: dict[str, dict[str, int]] = {name: {} for name in names}
    files = " ".join(f"/sys/class/net/{name}/statistics/?x_[pbde]*" for name in names)
    lines = shell.tell(f"cat {_BOOT_ID}; grep . {files}; grep -h ^Ip /proc/net/snmp /proc/net/netstat")
    for match in filter(None, map(_STATISTIC.match, lines)):
        interfaces[match["name"]][match["what"]] = int(match["value"])
    ipv4 = _tables(line for line in lines if line.startswith("Ip"))
    missing = [f"{name} {what}" for name, told in interfaces.items() for what in _COUNTED if what not in told]
    missing += [what for what in (*_SAME.values(), *_TOGETHER.values()) if what not in ipv4]
    if missing:
        raise DutError(f"the DUT does not tell its counter {missing[0]}: is it a Linux with /proc and /sys?")
    return Reading(boot=lines[0], interfaces=interfaces, ipv4=ipv4)


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


def tally(now: Reading) -> Tally:
    """Return what tells of a trial; IPv4 does not say by which port a frame came that it dropped: all are at port 0."""
    counted = of_ports(now, None)
    of_ipv4 = {reason: count for reason, count in drops(now, None).items() if reason in _OF_IPV4}
    ports = [
        PortTally(port=port.port, rx_frames=port.rx_packets, tx_frames=port.tx_packets, drops=port.drops)
        for port in counted.ports
    ]
    ports[:1] = [port.model_copy(update={"drops": port.drops | of_ipv4}) for port in ports[:1]]
    return Tally(boot=now.boot, ports=tuple(ports))


def _since(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {name: value - before.get(name, 0) for name, value in now.items()}
