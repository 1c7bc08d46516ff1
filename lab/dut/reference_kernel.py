"""The kernel of this host, a router in a namespace, as a known device under test."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

from lab.dut.counters import Counters, PortCounters
from lab.dut.namespace import VethLinks
from lab.dut.reference import WireDut
from lab.dut.subject import Known
from lab.errors import DutError
from lab.testbed.model import Dut as Node
from lab.testbed.ports import Port

# Frames from sources that no route leads back to are dropped (RFC 1812 section 5.3.8), a port answers ARP for its own
# address only, and every ICMP error is a result: none is withheld. Redirects are for hosts on the link, which the
# tester is not. Who has answered is believed for an hour: no probe comes into a test that does not ask for it.
_ROUTER_SETTINGS = (
    ("conf/all/rp_filter", 1),
    ("conf/all/arp_ignore", 1),
    ("conf/all/arp_announce", 2),
    ("conf/*/send_redirects", 0),
    ("neigh/*/base_reachable_time_ms", 3_600_000),
    ("icmp_ratelimit", 0),
)


_VETH_LEAVES_OUT_BYTES = 14
"""The Ethernet header, which a veth does not count."""


class NamespaceDut(WireDut):
    """The kernel of this host as a router in a namespace."""

    def __init__(self, known: Known, node: Node, links: VethLinks) -> None:
        """Bind to a router that is up."""
        super().__init__(known, node, [port.mac for port in node.ports])
        self._links = links
        self._zero: dict[str, dict[str, int]] = {}

    def configure(self, node: Node, peers: Sequence[Port]) -> None:
        """Let it behave as a router should; it was made with addresses, neighbours and routes."""
        for name, value in _ROUTER_SETTINGS:
            self.command(f'for file in /proc/sys/net/ipv4/{name}; do echo {value} > "$file"; done')

    def route_add(self, prefix: str, via: str) -> None:
        """Add a route."""
        self.command(f"ip route add {prefix} via {via}")

    def route_del(self, prefix: str) -> None:
        """Remove a route."""
        self.command(f"ip route del {prefix}")

    def neighbour_add(self, port: int, address: str, mac: str) -> None:
        """Add a permanent neighbour."""
        device = self._links.router[port]
        self.command(f"ip neigh replace {address} lladdr {mac} nud permanent dev {device}")

    def start(self) -> None:
        """Let the kernel forward."""
        self.command("echo 1 > /proc/sys/net/ipv4/ip_forward")

    def stop(self) -> None:
        """Let the kernel be a host, which forwards nothing."""
        self.command("echo 0 > /proc/sys/net/ipv4/ip_forward")

    def counters(self) -> Counters:
        """Return what its interfaces count (``ip -s link``); what it drops for a reason is not told apart."""
        now, zero = self._reading(), self._zero
        ports = []
        for number, name in enumerate(self._links.router):
            counts = {key: value - zero.get(name, {}).get(key, 0) for key, value in now[name].items()}
            ports.append(PortCounters(port=number, drops={}, **counts))
        return Counters(ports=tuple(ports))

    def clear_counters(self) -> None:
        """Count from here on."""
        self._zero = self._reading()

    def command(self, text: str) -> list[str]:
        """Run a command of a shell in its namespace and return the lines that it prints.

        Raises:
            DutError: it fails.

        """
        words = ["nsenter", f"--net={self._links.netns}", "--", "sh", "-c", text]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DutError(f"the kernel as a router refused {text!r}: {' '.join(done.stderr.split())}")
        return done.stdout.splitlines()

    def _reading(self) -> dict[str, dict[str, int]]:
        told = json.loads("\n".join(self.command("ip -json -stats link show")))
        counts = {link["ifname"]: link["stats64"] for link in told if link["ifname"] in self._links.router}
        return {
            name: {
                f"{way}_{what}": of[way][what] + header * of[way]["packets"]
                for way in ("rx", "tx")
                for what, header in (("packets", 0), ("bytes", _VETH_LEAVES_OUT_BYTES))
            }
            for name, of in counts.items()
        }
