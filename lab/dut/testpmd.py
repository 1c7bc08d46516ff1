"""dpdk-testpmd as a device under test: the known fast forwarder that the image is compared with.

Its ports are virtio-user devices on the same kind of vhost-user sockets that the image's virtio-net cards are plugged
into, and one lcore forwards between ports 0 and 1, 2 and 3, ... in mac mode: it writes both Ethernet addresses and
looks at nothing else (DPDK, "Testpmd Application User Guide", forwarding modes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lab.dut.testpmd_process import PROGRAM, TestpmdProcess
from lab.dut.virtio_user import eal_options
from lab.errors import DutError
from lab.metrics.hops import PortTally

_MEMORY_MB = 256
_MBUFS = 32_768  # two ports of two full queues of 1024, eight times over

_PORT = re.compile(
    r"NIC statistics for port (?P<port>\d+).*?RX-packets: (?P<rx>\d+).*?RX-missed: (?P<missed>\d+)"
    r".*?TX-packets: (?P<tx>\d+)",
    re.DOTALL,
)
_DROPPED = re.compile(r"Forward statistics for port (?P<port>\d+).*?TX-dropped: (?P<frames>\d+)", re.DOTALL)
_CYCLES = re.compile(r"total cycles=(?P<cycles>\d+) / total \w+ packets=(?P<packets>\d+)")


class Testpmd(TestpmdProcess):
    """A testpmd that is up and does not forward until ``start``; a context manager."""

    def __init__(
        self,
        sockets: Sequence[Path],
        macs: Sequence[str],
        peer_macs: Sequence[str],
        *,
        core: int,
        housekeeping_core: int,
        queue_size: int,
        log: Path,
        queues: int = 1,
    ) -> None:
        """Start it and wait for its prompt.

        Args:
            sockets: of the vhost-user server of each port; they listen already.
            macs: of its ports.
            peer_macs: where frames that leave each port are sent to.
            core: host core of the lcore that forwards.
            housekeeping_core: host core of all else of it.
            queue_size: descriptors of a queue, a power of two.
            log: file for all that it says.
            queues: queue pairs of each port; the server of each has as many.

        Raises:
            LabError: it is not installed, or does not start.

        """
        self.macs = tuple(macs)
        eal = eal_options(
            sockets,
            macs,
            core=core,
            housekeeping_core=housekeeping_core,
            queue_size=queue_size,
            memory_mb=_MEMORY_MB,
            queues=queues,
        )
        super().__init__(eal, _forwarding(peer_macs, queue_size, queues), housekeeping_core=housekeeping_core, log=log)

    def clear_counters(self) -> None:
        """Set its counters to zero."""
        self.command("clear fwd stats all")

    def cycles_and_packets(self) -> tuple[int, int]:
        """Return cycles of the bursts that forwarded frames and the number of these frames, since the last clearing.

        Only bursts that received something count (``--record-core-cycles``, read at the begin and the end of each), as
        a QGM counts the turns that handled frames.

        (0, 0) before the first frame, when it says nothing of them.
        """
        counted = next(self._forwarded(_CYCLES), None)
        return (int(counted["cycles"]), int(counted["packets"])) if counted else (0, 0)

    def _forwarded(self, what: re.Pattern[str]) -> Iterator[re.Match[str]]:
        return what.finditer(self.command("show fwd stats all"))

    def port_tallies(self) -> tuple[PortTally, ...]:
        """Return what it counts of each port since its start, by the names of its counters."""
        dropped = {int(found["port"]): int(found["frames"]) for found in self._forwarded(_DROPPED)}
        return tuple(
            PortTally(
                port=int(found["port"]),
                rx_frames=int(found["rx"]),
                tx_frames=int(found["tx"]),
                drops={"rx_missed": int(found["missed"]), "tx_dropped": dropped.get(int(found["port"]), 0)},
            )
            for found in _PORT.finditer(self.command("show port stats all"))
        )

    def _check_start(self, said: str) -> None:
        """It starts without the ports that it could not make: refuse that, with the first thing it said of them."""
        missing = [mac for number, mac in enumerate(self.macs) if f"PORT {number}: {mac.upper()}" not in said.upper()]
        if missing:
            why = next((line for line in said.splitlines() if "error" in line.lower()), "it did not say why")
            raise DutError(f"{PROGRAM} did not make its port {missing[0]}: {why} (see {self._log})")


def _forwarding(peer_macs: Sequence[str], queue_size: int, queues: int) -> list[str]:
    """Write the options of testpmd: one forwarding lcore, mac mode, cycles counted, bursts as long as a QGM's."""
    words = ["--nb-cores=1", "--forward-mode=mac", "--record-core-cycles", "--no-numa", "--burst=64"]
    words += [f"--rxd={queue_size}", f"--txd={queue_size}", f"--total-num-mbufs={_MBUFS}"]
    if queues > 1:  # not always: with the option it complains of a missing device in words that nobody understands
        words += [f"--rxq={queues}", f"--txq={queues}"]
    return words + [f"--eth-peer={number},{mac}" for number, mac in enumerate(peer_macs)]
