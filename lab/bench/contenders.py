"""What a benchmark compares: forwarders that are all up, of which one forwards at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from lab.dut.bring_up import Deployed
from lab.dut.testpmd import Testpmd
from lab.methods.trial import Measurer


def nothing() -> None:
    """Start or stop what needs neither."""


def uncounted() -> tuple[int, int]:
    """Return no cycles and no frames, of what counts none."""
    return 0, 0


@dataclass(frozen=True)
class Contender:
    """A forwarder, and what measures on its ports.

    ``counted`` returns (cycles of the turns that handled frames, these frames) since ``clear``. ``ceiling_pps`` is more
    than its links can carry, both directions together; None where only line rate is known to be. ``busy_ns`` returns
    the time that it has run so far, of what does not poll.
    """

    name: str
    measurer: Measurer
    start: Callable[[], None] = nothing
    stop: Callable[[], None] = nothing
    clear: Callable[[], None] = nothing
    counted: Callable[[], tuple[int, int]] = uncounted
    ceiling_pps: float | None = None
    busy_ns: Callable[[], int] | None = None


class Startable(Protocol):
    """What takes turns with others: it stands still but between ``start`` and ``stop``."""

    @property
    def name(self) -> str:
        """Name in the results."""
        ...

    @property
    def start(self) -> Callable[[], None]:
        """Begin its turn."""
        ...

    @property
    def stop(self) -> Callable[[], None]:
        """End its turn."""
        ...


@contextmanager
def forwarding(contender: Startable) -> Iterator[None]:
    """Have a contender do its work for a while; it stands still afterwards, whatever happens."""
    contender.start()
    try:
        yield
    finally:
        contender.stop()


def of_image(deployed: Deployed, measurer: Measurer) -> Contender:
    """Return the image as a contender; all its QGMs count."""
    dut = deployed.dut

    def counted() -> tuple[int, int]:
        qgms = dut.counters().qgms
        return sum(qgm.busy_cycles for qgm in qgms), sum(qgm.busy_packets for qgm in qgms)

    return Contender("PIX", measurer, start=dut.start, stop=dut.stop, clear=dut.clear_counters, counted=counted)


def of_testpmd(testpmd: Testpmd, measurer: Measurer) -> Contender:
    """Return dpdk-testpmd as a contender."""
    return Contender(
        "testpmd",
        measurer,
        start=testpmd.start,
        stop=testpmd.stop,
        clear=testpmd.clear_counters,
        counted=testpmd.cycles_and_packets,
    )
