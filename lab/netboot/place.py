"""Where a boot service answers: an interface of this machine, or of a namespace."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

from lab.errors import LabError, UsageError, near_misses

Enter = Callable[[Sequence[str]], list[str]]
"""Makes a command run where the interface is; it stays the same process."""


def here(command: Sequence[str]) -> list[str]:
    """Leave a command as it is: it runs in the network of the thread that starts it."""
    return list(command)


@dataclass(frozen=True)
class Place:
    """An interface with its address, and the address that the booting server gets.

    ``client`` None: a DHCP server that is there gives the addresses. ``ipv6_network`` is one that routers are told of,
    where the network is the lab's own: iPXE waits for 16 s for an IPv6 router when none answers.
    """

    interface: str
    address: IPv4Interface
    client: IPv4Address | None
    enter: Enter = here
    ipv6_network: str | None = None


def find(interface: str, client: IPv4Address | None, enter: Enter = here) -> Place:
    """Return the place of an interface that has its address already.

    Args:
        interface: its name.
        client: what the booting server will get, which must be in the interface's network; None: in proxy mode.
        enter: into where it is.

    Raises:
        UsageError: there is no such interface, or it has no address that fits.

    """
    interfaces = {each["ifname"]: each for each in _interfaces(enter)}
    if interface not in interfaces:
        raise UsageError(f"boot.interface: this machine has no {interface!r}: {near_misses(interface, interfaces)}")
    own = [
        IPv4Interface(f"{each['local']}/{each['prefixlen']}")
        for each in interfaces[interface]["addr_info"]
        if each["family"] == "inet"
    ]
    fitting = [address for address in own if client is None or client in address.network]
    if not fitting:
        has = ", ".join(map(str, own)) or "none"
        wanted = "an IPv4 address" if client is None else f"an address in the network of boot.address {client}"
        raise UsageError(
            f"boot.interface: {interface} has not {wanted} (it has: {has}): give it one with 'ip addr add', or correct "
            "the testbed"
        )
    if client is not None and client == fitting[0].ip:
        raise UsageError(f"boot.address: {client} is the address of {interface} itself: give the server another one")
    return Place(interface, fitting[0], client, enter)


def _interfaces(enter: Enter) -> list[dict[str, Any]]:
    done = subprocess.run(enter(["ip", "-json", "address"]), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"'ip address' failed: {' '.join(done.stderr.split()) or 'it said nothing'}")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
