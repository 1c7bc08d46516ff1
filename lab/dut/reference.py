"""Known devices under test: the generator and the methods are checked against what these are known to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lab.dut.counters import Conservation, Counters
from lab.dut.subject import Known
from lab.dut.testpmd import Testpmd
from lab.errors import DutError
from lab.metrics.hops import PortTally, Tally
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

    def tally(self) -> Tally:
        """Return what its counters have, of which no start of it is another."""
        return Tally(
            ports=tuple(
                PortTally(port=port.port, rx_frames=port.rx_packets, tx_frames=port.tx_packets, drops=port.drops)
                for port in self.counters().ports
            )
        )

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
        self.testpmd = testpmd

    def cores(self) -> list[dict[str, Any]]:
        """Return the lcore that forwards."""
        return [{"core": 1, "role": "exclusive", "state": "online"}]

    def start(self) -> None:
        """Start forwarding."""
        self.testpmd.start()

    def stop(self) -> None:
        """Stop forwarding."""
        self.testpmd.stop()

    def tally(self) -> Tally:
        """Return what it counts of its ports."""
        return Tally(ports=self.testpmd.port_tallies())

    def command(self, text: str) -> list[str]:
        """Run one line on its prompt and return the lines that it answers."""
        return self.testpmd.command(text).splitlines()
