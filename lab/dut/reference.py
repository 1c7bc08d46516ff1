"""Known devices under test: the generator and the methods are checked against what these are known to do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from lab.dut.counters import Conservation, Counters, PortCounters
from lab.dut.model import ModelForwarder
from lab.dut.namespace import VethLinks
from lab.dut.subject import Known
from lab.dut.testpmd import Testpmd
from lab.errors import DutError
from lab.testbed.model import Dut as Node
from lab.testbed.ports import Port


class WireDut:
    """The Dut protocol (lab.dut.protocol) for what is nothing but links, and the base of the other references.

    A reference is made as its testbed says; what cannot be asked of it is refused.
    """

    def __init__(self, known: Known, node: Node, macs: Sequence[str]) -> None:
        """Describe it; ``macs`` are what frames must be sent to at each port, and come from there."""
        self._known = known
        self._node = node
        self._macs = tuple(macs)

    def version(self) -> dict[str, Any]:
        """Return ``name``, ``version`` and ``build_id``."""
        return self._known.model_dump()

    def ports(self) -> list[dict[str, Any]]:
        """Return its ports as the testbed has them."""
        return [
            {"port": number, "mac": mac, "mtu": 1500, "link": "up", "state": "started"}
            for number, mac in enumerate(self._macs)
        ]

    def cores(self) -> list[dict[str, Any]]:
        """Return none: nothing computes."""
        return []

    def configure(self, node: Node, peers: Sequence[Port]) -> None:
        """Do nothing: it was made with its configuration."""

    def use_cores(self, count: int) -> None:
        """Refuse more than one core.

        Raises:
            DutError: ``count`` is not 1.

        """
        if count != 1:
            raise self._refusal(f"be told to use {count} cores")

    def route_add(self, prefix: str, via: str) -> None:
        """Refuse, as all that configures a router.

        Raises:
            DutError: always.

        """
        raise self._refusal(f"take the route {prefix}")

    def route_del(self, prefix: str) -> None:
        """Refuse, as ``route_add`` does."""
        raise self._refusal(f"lose the route {prefix}")

    def neighbour_add(self, port: int, address: str, mac: str) -> None:
        """Refuse, as ``route_add`` does."""
        raise self._refusal(f"take the neighbour {address}")

    def load_routes(self, count: int) -> None:
        """Refuse, as ``route_add`` does."""
        raise self._refusal("take a route file")

    def clear_routes(self) -> None:
        """Do nothing: no route came from a file."""

    def churn_routes(self, count: int) -> None:
        """Refuse, as ``route_add`` does."""
        raise self._refusal("take a route file")

    def start(self) -> None:
        """Do nothing: a wire always carries."""

    def stop(self) -> None:
        """Do nothing, as ``start`` does."""

    def counters(self) -> Counters:
        """Return none: a wire does not count."""
        return Counters()

    def clear_counters(self) -> None:
        """Do nothing, as there are none."""

    def drops(self) -> dict[str, int]:
        """Return the drops that it counts, by reason."""
        return self.counters().drops()

    def drop_reasons(self) -> frozenset[str]:
        """Return none: it has no reason that PIX has."""
        return frozenset()

    def conservation(self) -> Conservation | None:
        """Return None: it does not count all that takes."""
        return None

    def reboot(self) -> None:
        """Refuse: it was not booted.

        Raises:
            DutError: always.

        """
        raise self._refusal("be rebooted")

    def command(self, text: str) -> list[str]:
        """Refuse: it has no shell.

        Raises:
            DutError: always.

        """
        raise self._refusal(f"run {text!r}")

    def close(self) -> None:
        """Do nothing: who made it ends it."""

    def _refusal(self, what: str) -> DutError:
        return DutError(f"{self._known.name} is a reference device: it cannot {what}")


class TestpmdDut(WireDut):
    """dpdk-testpmd in mac mode."""

    __test__ = False  # not a test class, whatever its name begins with

    def __init__(self, known: Known, node: Node, testpmd: Testpmd) -> None:
        """Bind to a testpmd that is up."""
        super().__init__(known, node, testpmd.macs)
        self._testpmd = testpmd

    def cores(self) -> list[dict[str, Any]]:
        """Return the lcore that forwards."""
        return [{"core": 1, "role": "exclusive", "state": "online"}]

    def start(self) -> None:
        """Start forwarding."""
        self._testpmd.start()

    def stop(self) -> None:
        """Stop forwarding."""
        self._testpmd.stop()

    def command(self, text: str) -> list[str]:
        """Run one line on its prompt and return the lines that it answers."""
        return self._testpmd.command(text).splitlines()


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


class ModelDut(WireDut):
    """The model, which does to frames what its testbed says, and keeps the truth about it (``model.truth()``)."""

    def __init__(self, known: Known, node: Node, model: ModelForwarder) -> None:
        """Bind to a model that is up."""
        super().__init__(known, node, [port.mac for port in node.ports])
        self.model = model

    def version(self) -> dict[str, Any]:
        """Return ``name``, ``version``, ``build_id``, and what it was told to do, as far as that is unlike a wire."""
        behaviour = self.model.behaviour.model_dump_json(exclude_defaults=True)
        return {**super().version(), "behaviour": behaviour}

    def cores(self) -> list[dict[str, Any]]:
        """Return the core that polls."""
        return [{"core": 1, "role": "exclusive", "state": "online"}]

    def start(self) -> None:
        """Start forwarding."""
        self.model.start()

    def stop(self) -> None:
        """Stop forwarding."""
        self.model.stop()

    def counters(self) -> Counters:
        """Return the truth as counters: received by the port in, sent by the port out, drops by the port in."""
        truth = {direction.in_port: direction for direction in self.model.truth()}
        sent = {direction.out_port: direction for direction in truth.values()}
        return Counters(
            ports=tuple(
                PortCounters(
                    port=port,
                    rx_packets=came.received,
                    rx_bytes=came.received_bytes,
                    tx_packets=sent[port].sent,
                    tx_bytes=sent[port].sent_bytes,
                    drops={"asked": came.lost_asked, "queue_full": came.lost_capacity, "dead": came.lost_dead},
                )
                for port, came in sorted(truth.items())
            )
        )

    def clear_counters(self) -> None:
        """Count from here on; frames are numbered from 0 again."""
        self.model.begin()

    def conservation(self) -> Conservation | None:
        """Return the balance: its copies are frames that it originated."""
        truth = self.model.truth()
        return Conservation(
            rx_packets=sum(direction.received for direction in truth),
            originated=sum(direction.duplicated for direction in truth),
            tx_packets=sum(direction.sent for direction in truth),
            dropped=sum(direction.lost for direction in truth),
            consumed=0,
            held=sum(direction.held for direction in truth),
        )
