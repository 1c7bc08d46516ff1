"""A Linux that routes, spoken to on a shell of its serial console. busybox has all the commands that are used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from lab.dut import linux_counters
from lab.dut.counters import Conservation, Counters
from lab.dut.identity import identify
from lab.dut.shell import Shell
from lab.errors import DutError
from lab.images import Manifest
from lab.metrics.hops import Tally
from lab.testbed.model import Dut as Node
from lab.testbed.ports import Port

_INTERFACES = (
    "cd /sys/class/net; for i in *; do [ ! -e $i/device ] || "
    "echo if=$i $(cat $i/address $i/mtu) $(cat $i/carrier 2>/dev/null || echo down); done"
)
_INTERFACE = re.compile(r"^if=(?P<name>\S+) (?P<mac>[0-9a-f:]{17}) (?P<mtu>\d+) (?P<carrier>1|0|down)$")


class LinuxDut:
    """The BootedDut protocol (lab.dut.protocol) by commands of a shell.

    Linux forgets the neighbours and routes of a link that goes down. So what was configured is kept here and told anew
    at each start. Its counters cannot be cleared: ``_zero`` holds what they were when they were to be.
    """

    def __init__(self, shell: Shell, image: Manifest) -> None:
        """Bind to the shell of the booted image."""
        self._shell = shell
        self._image = image
        self._started = False
        self._ports: tuple[Port, ...] = ()
        self._names: tuple[str, ...] = ()
        self._neighbours: list[tuple[str, str, str]] = []
        self._routes: dict[str, str] = {}
        self._zero: linux_counters.Reading | None = None

    def version(self) -> dict[str, Any]:
        """Return ``name``, ``version``, ``build_id`` and ``kernel``."""
        told = identify(self._shell, self._image)
        kernel = " ".join(self._shell.tell("uname -rv"))
        return {"name": told.name, "version": told.version, "build_id": told.build_id, "kernel": kernel}

    def ports(self) -> list[dict[str, Any]]:
        """Return its data ports in the testbed's order; before it is configured, in that of their MAC addresses."""
        found = {match["name"]: match for match in map(_INTERFACE.match, self._shell.tell(_INTERFACES)) if match}
        names = self._names or tuple(sorted(found, key=lambda name: found[name]["mac"]))
        if not set(names) <= set(found):
            raise DutError(f"the DUT no longer has all of its ports {', '.join(names)}: it tells {', '.join(found)}")
        return [
            {
                "port": number,
                "name": name,
                "mac": found[name]["mac"],
                "mtu": int(found[name]["mtu"]),
                "link": "up" if found[name]["carrier"] == "1" else "down",
                "state": "started" if self._started else "stopped",
            }
            for number, name in enumerate(names)
        ]

    def cores(self) -> list[dict[str, Any]]:
        """Return its cores: the scheduler's, every one."""
        count = len(self._shell.tell("grep ^processor /proc/cpuinfo"))
        return [{"core": number, "role": "generic", "state": "online"} for number in range(count)]

    def configure(self, node: Node, peers: Sequence[Port]) -> None:
        """Find the ports by their MAC addresses; set addresses, and what neighbours and routes a start sets.

        Queue group managers and their settings are PIX's: a Linux has its own way with queues and cores.
        """
        self._ports = tuple(node.ports)
        self._set_addresses()
        for name, peer in zip(self._names, peers, strict=True):
            self._neighbours.append((name, str(peer.address.ip), peer.mac))
        for route in node.routes:
            self.route_add(str(route.prefix), str(route.via))

    def _set_addresses(self) -> None:
        by_mac = {port["mac"]: port["name"] for port in self.ports()}
        missing = [port.mac for port in self._ports if port.mac not in by_mac]
        if missing:
            raise DutError(f"the DUT has no network interface {missing[0]}: it found {', '.join(by_mac) or 'none'}")
        self._names = tuple(by_mac[port.mac] for port in self._ports)
        for name, port in zip(self._names, self._ports, strict=True):
            self._shell.tell(f"ip addr add {port.address} dev {name}")

    def reconfigure(self, shell: Shell) -> None:
        """Set its addresses again, and start it again, with its neighbours and routes, where it was started."""
        self._shell = shell
        self._zero = None
        self._set_addresses()
        if self._started:
            self.start()

    def use_cores(self, count: int) -> None:
        """Refuse: a Linux deals its work to cores itself.

        Raises:
            DutError: always.

        """
        raise DutError(f"{self._image.name} deals its work to cores itself: it cannot be told to use {count}")

    def route_add(self, prefix: str, via: str) -> None:
        """Add a route."""
        if self._started:
            self._shell.tell(f"ip route add {prefix} via {via}")
        self._routes[prefix] = via

    def route_del(self, prefix: str) -> None:
        """Remove a route."""
        if self._started:
            self._shell.tell(f"ip route del {prefix}")
        self._routes.pop(prefix, None)

    def neighbour_add(self, port: int, address: str, mac: str) -> None:
        """Add a permanent neighbour."""
        if self._started:
            self._shell.tell(f"arp -i {self._names[port]} -s {address} {mac}")
        self._neighbours.append((self._names[port], address, mac))

    def load_routes(self, count: int) -> None:
        """Refuse: it takes no route file.

        Raises:
            DutError: always.

        """
        raise DutError(f"{self._image.name} takes no route file: {count} routes cannot be loaded from one")

    def clear_routes(self) -> None:
        """Do nothing: no route came from a file."""

    def churn_routes(self, count: int) -> None:
        """Refuse, as ``load_routes`` does.

        Raises:
            DutError: always.

        """
        self.load_routes(count)

    def start(self) -> None:
        """Set its links up and tell it neighbours and routes."""
        self._all(f"ip link set {name} up" for name in self._names)
        self._all(f"arp -i {name} -s {address} {mac}" for name, address, mac in self._neighbours)
        self._all(f"ip route replace {prefix} via {via}" for prefix, via in self._routes.items())
        self._started = True

    def stop(self) -> None:
        """Set its links down."""
        self._all(f"ip link set {name} down" for name in self._names)
        self._started = False

    def _all(self, commands: Iterable[str]) -> None:
        for command in commands:
            self._shell.tell(command)

    def _reading(self) -> linux_counters.Reading:
        return linux_counters.read(self._shell, self._names or tuple(port["name"] for port in self.ports()))

    def counters(self) -> Counters:
        """Return what its interfaces count; a Linux has no queue group managers."""
        return linux_counters.of_ports(self._reading(), self._zero)

    def tally(self) -> Tally:
        """Return what its interfaces and IPv4 count since it booted."""
        return linux_counters.tally(self._reading())

    def clear_counters(self) -> None:
        """Count from here on."""
        self._zero = self._reading()

    def drops(self) -> dict[str, int]:
        """Return the drops of its interfaces and of IPv4 by reason; reasons that never struck are left out."""
        return linux_counters.drops(self._reading(), self._zero)

    def drop_reasons(self) -> frozenset[str]:
        """Return what Linux counts apart as PIX does."""
        return linux_counters.OWN_REASONS

    def conservation(self) -> Conservation | None:
        """Return None: Linux does not count the frames that it makes, takes for itself or drops as another's."""
        return None

    def send_reboot(self) -> None:
        """Tell it to reboot."""
        self._shell.send("reboot -f")

    def command(self, text: str) -> list[str]:
        """Run one line on its shell and return the lines that it answers."""
        return self._shell.run(text)

    def close(self) -> None:
        """Let go of it."""
        self._shell.close()
