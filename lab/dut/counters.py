"""The counters of a router, and the balance that they must keep."""

from __future__ import annotations

from pydantic import ConfigDict

from lab.models import Model


class PortCounters(Model):
    """Frames and bytes (without FCS) of one port; ``drops`` counts dropped frames by reason."""

    port: int
    rx_packets: int
    rx_bytes: int
    tx_packets: int
    tx_bytes: int
    drops: dict[str, int]


class QgmCounters(Model):
    """One queue group manager, on core ``qgm``: what its loop did, and the frames that it made, ended and holds.

    ``busy_cycles`` are cycles of the loop's turns that handled frames, ``busy_packets`` those frames, ``polls`` all
    turns and ``empty_polls`` those without a frame. ``ring_in`` and ``ring_out`` count frames that came from other QGMs
    and went to them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")  # a newer image may count more

    qgm: int
    busy_cycles: int
    busy_packets: int
    polls: int
    empty_polls: int
    originated: int
    consumed: int
    held: int
    ring_in: int
    ring_out: int


class Conservation(Model):
    """Frames in and out: received and originated on one side, sent, dropped, consumed and held on the other."""

    rx_packets: int
    originated: int
    tx_packets: int
    dropped: int
    consumed: int
    held: int

    @property
    def taken_in(self) -> int:
        """Frames that came into being or into the router."""
        return self.rx_packets + self.originated

    @property
    def accounted_for(self) -> int:
        """Frames whose fate was counted."""
        return self.tx_packets + self.dropped + self.consumed + self.held

    def __str__(self) -> str:
        return (
            f"{self.rx_packets} received + {self.originated} originated = {self.taken_in}, and {self.tx_packets} sent "
            f"+ {self.dropped} dropped + {self.consumed} consumed + {self.held} held = {self.accounted_for}"
        )


class Counters(Model):
    """All counters of a DUT at one time."""

    ports: tuple[PortCounters, ...] = ()
    qgms: tuple[QgmCounters, ...] = ()

    def drops(self) -> dict[str, int]:
        """Return the drops of all ports by reason; reasons that never struck are left out."""
        total: dict[str, int] = {}
        for port in self.ports:
            for reason, count in port.drops.items():
                if count:
                    total[reason] = total.get(reason, 0) + count
        return total

    def conservation(self) -> Conservation:
        """Return the balance over all ports and queue group managers; exact only while no traffic runs."""
        return Conservation(
            rx_packets=sum(port.rx_packets for port in self.ports),
            originated=sum(qgm.originated for qgm in self.qgms),
            tx_packets=sum(port.tx_packets for port in self.ports),
            dropped=sum(self.drops().values()),
            consumed=sum(qgm.consumed for qgm in self.qgms),
            held=sum(qgm.held for qgm in self.qgms),
        )
