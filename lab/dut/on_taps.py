"""What a device on taps has counted, with what its taps dropped: the queue of a tap is the receive ring of its port."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lab.dut.counted import Countable
from lab.machines.netns import NetworkNamespace
from lab.metrics.hops import Tally

_DROPPED_IN_SENDING = 11
"""Of the sixteen counters of an interface in /proc/net/dev, eight of receiving and eight of sending."""


class OnTaps:
    """A Countable; frames that found no room in a tap came to the device, and were dropped for ``rx_dropped``."""

    def __init__(self, device: Countable, namespace: NetworkNamespace, names: Mapping[int, str]) -> None:
        """Bind a device to its taps: ``names`` by the number of its port, in ``namespace``."""
        self._device = device
        self._namespace = namespace
        self._names = dict(names)

    def tally(self) -> Tally:
        """Return what the device and its taps have counted."""
        counted = self._device.tally()
        dropped = self._dropped()
        ports = []
        for port in counted.ports:
            lost = dropped[self._names[port.port]]
            drops = {**port.drops, "rx_dropped": port.drops.get("rx_dropped", 0) + lost}
            ports.append(port.model_copy(update={"rx_frames": port.rx_frames + lost, "drops": drops}))
        return counted.model_copy(update={"ports": tuple(ports)})

    def restore(self) -> None:
        """Restore the device; see Countable."""
        self._device.restore()

    def _dropped(self) -> dict[str, int]:
        """Return how many frames each tap had no room for (dev_get_stats: tx_dropped)."""
        text = Path(self._namespace.file).parent.parent.joinpath("net/dev").read_text()
        rows = (line.partition(":") for line in text.splitlines() if ":" in line)
        return {name.strip(): int(counters.split()[_DROPPED_IN_SENDING]) for name, _, counters in rows}
