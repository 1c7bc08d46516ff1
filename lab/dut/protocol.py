"""What a suite or a method may ask of a device under test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from lab.dut.counters import Conservation, Counters
from lab.dut.shell import Shell
from lab.metrics.hops import Tally
from lab.testbed.model import Dut as Node
from lab.testbed.ports import Port


class Dut(Protocol):
    """A router under test. All that talks to it is done before or after a trial, never during one.

    Everything that can fail raises DutError with the last lines of the console.
    """

    def version(self) -> dict[str, Any]:
        """Return what it says of itself: ``name``, ``version``, ``build_id``, and what it has beyond that."""
        ...

    def ports(self) -> list[dict[str, Any]]:
        """Return its data ports in their order: ``port``, ``mac``, ``mtu``, ``link``, ``state``, ..."""
        ...

    def cores(self) -> list[dict[str, Any]]:
        """Return its cores: ``core``, ``role``, ``state``, ..."""
        ...

    def configure(self, node: Node, peers: Sequence[Port]) -> None:
        """Set the addresses of its ports, a permanent neighbour on each link, its routes, and which core does what.

        Args:
            node: the DUT as the testbed describes it.
            peers: the port at the other end of the link of each of its ports.

        """
        ...

    def use_cores(self, count: int) -> None:
        """Start forwarding again with the work of all its exclusive cores dealt to the first ``count``.

        Raises:
            DutError: it has not that many, or does not let itself be told.

        """
        ...

    def route_add(self, prefix: str, via: str) -> None:
        """Add a route."""
        ...

    def route_del(self, prefix: str) -> None:
        """Remove a route."""
        ...

    def neighbour_add(self, port: int, address: str, mac: str) -> None:
        """Add a permanent neighbour on the link of the port of that number."""
        ...

    def load_routes(self, count: int) -> None:
        """Add the first ``count`` routes of the route file that it was deployed with; none of them when one is wrong.

        Raises:
            DutError: it refused one, or takes no route file.

        """
        ...

    def clear_routes(self) -> None:
        """Remove the routes of the route file that were added."""
        ...

    def churn_routes(self, count: int) -> None:
        """Withdraw routes that ``load_routes`` added and announce them again, one after the other, ``count`` times."""
        ...

    def start(self) -> None:
        """Start forwarding."""
        ...

    def stop(self) -> None:
        """Stop forwarding."""
        ...

    def counters(self) -> Counters:
        """Return its counters since boot or the last ``clear_counters``."""
        ...

    def clear_counters(self) -> None:
        """Set its counters to zero."""
        ...

    def tally(self) -> Tally:
        """Return what `counters` has of frames, as quickly as it can be had, and which start of the DUT it is of.

        It is read before and after every trial. Without ports where it does not count.
        """
        ...

    def drops(self) -> dict[str, int]:
        """Return the drops of all ports by reason."""
        ...

    def drop_reasons(self) -> frozenset[str]:
        """Return the reasons that it counts by themselves, under the names that PIX has for them.

        What another router drops for a reason that is not here, it counts together with others or not at all.
        """
        ...

    def conservation(self) -> Conservation | None:
        """Return the two sides of the balance of its packets; None where it does not count all that takes."""
        ...

    def command(self, text: str) -> list[str]:
        """Run one line on its shell and return the lines that it answers."""
        ...

    def close(self) -> None:
        """Let go of it; it keeps running."""
        ...


class BootedDut(Dut, Protocol):
    """A router that was booted, so that it can be reset; what it was told through ``Dut`` but ``command`` is kept."""

    def send_reboot(self) -> None:
        """Tell it to reboot, and do not wait for that."""
        ...

    def reconfigure(self, shell: Shell) -> None:
        """Bring it back to what it was told before its reset, started where it was started.

        Args:
            shell: of the system as it has just been booted.

        """
        ...
