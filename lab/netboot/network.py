"""A network namespace with one tap, for the boot NIC of a virtual machine.

The namespace has no name and no link to the outside. It lives as long as a process is in it, and all of those die with
the lab, so it never needs to be cleaned up.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from lab.machines.netns import NetworkNamespace
from lab.netboot.place import Place

TAP = "boot0"
SERVER = "192.0.2.1"
CLIENT = "192.0.2.10"
PREFIX_BITS = 24
SERVER_IPV6 = "fd00:c000:200::1"
IPV6_NETWORK = "fd00:c000:200::"


class BootNetwork:
    """The namespace, with the lab's end of the tap configured; a context manager."""

    def __init__(self) -> None:
        """Create the namespace.

        Raises:
            LabError: not root, or a tool is missing or refused.

        """
        ipv6 = Path("/proc/net/if_inet6").exists()  # else this kernel has none, and no router can be told of
        self._namespace = NetworkNamespace("a virtual testbed makes its own boot network")
        commands = ["link set lo up", f"tuntap add {TAP} mode tap", f"addr add {SERVER}/{PREFIX_BITS} dev {TAP}"]
        if ipv6:
            commands.append(f"addr add {SERVER_IPV6}/64 dev {TAP} nodad")
        commands.append(f"link set {TAP} up")
        try:
            self._namespace.configure(commands, "the boot network")
        except BaseException:
            self.close()
            raise
        self.place = Place(
            TAP,
            IPv4Interface(f"{SERVER}/{PREFIX_BITS}"),
            IPv4Address(CLIENT),
            self.enter,
            IPV6_NETWORK if ipv6 else None,
        )
        """The lab's end of the tap."""

    def enter(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs ``command`` inside; it stays the same process."""
        return self._namespace.enter(command)

    def close(self) -> None:
        """Let go of the namespace; it disappears with the last process in it."""
        self._namespace.close()

    def __enter__(self) -> BootNetwork:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
