"""Where the frames of a trial were lost, and whether the counts on both sides of each hop add up: pure functions.

What a DUT counts is compared with what the generator counted at the other ends of its links. Frames that are none of
the test (ARP of a host on the link, an announcement, an ICMP error) pass the same counters. They may explain that more
came in, or went out, than the test's own, and never that fewer of them did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lab.methods.trial import DirectionCount, HopBalance, HopLoss
from lab.models import Model

_REASONS_BY_HOP = {
    # PIX (firmware-images/pix/qgm/drops.h), a Linux (lab/dut/linux_counters.py), testpmd and the model, in this order.
    "Rx ring": "rx_dropped rx_missed_errors rx_fifo_errors rx_over_errors rx_missed queue_full",
    "FIB": "no_route",
    "inter-core ring": "ring_full",
    "Tx ring": "tx_queue_full tx_dropped tx_fifo_errors",
    "other drops": (
        "runt not_for_us link_broadcast ethertype ip_version ip_header_length ip_total_length ip_checksum ip_options "
        "ip_source_route martian_source martian_destination multicast broadcast ttl_expired mtu_exceeded port_down "
        "neighbour_unresolved neighbour_unreachable neighbour_table_full local_unsupported icmp_invalid "
        "icmp_unroutable stopped "
        "rx_errors tx_errors rx_crc_errors rx_frame_errors rx_length_errors tx_aborted_errors tx_carrier_errors "
        "tx_heartbeat_errors tx_window_errors linux_header linux_address linux_discarded "
        "asked dead"
    ),
}
HOP_OF_REASON = {reason: hop for hop, reasons in _REASONS_BY_HOP.items() for reason in reasons.split()}
"""The hop of every reason for which frames of a test are dropped, under the names that DUTs have for it."""

NO_TEST_FRAMES = frozenset({"arp_invalid", "arp_conflict", "arp_not_for_us"})
"""Reasons that strike ARP packets alone, which no test sends."""


class PortTally(Model):
    """Frames that one port of a DUT received and sent; ``drops`` counts those that were dropped, by reason."""

    port: int
    rx_frames: int
    tx_frames: int
    drops: dict[str, int]


class Tally(Model):
    """What a DUT had counted at one time, or the difference of two such times; without ``ports`` it does not count.

    ``boot`` is another after every start of it, and empty where it does not tell. ``complete`` says that it counts the
    fate of every frame: once nothing moves, received + ``originated`` = sent + dropped + ``consumed`` + ``held``.
    """

    boot: str = ""
    ports: tuple[PortTally, ...] = ()
    originated: int = 0
    consumed: int = 0
    held: int = 0
    complete: bool = False

    def since(self, earlier: Tally) -> Tally:
        """Return what was counted since an earlier time of the same start."""
        before = {port.port: port for port in earlier.ports}
        return self.model_copy(
            update={
                "ports": tuple(_difference(port, before[port.port]) for port in self.ports),
                "originated": self.originated - earlier.originated,
                "consumed": self.consumed - earlier.consumed,
                "held": self.held - earlier.held,
            }
        )


def _difference(now: PortTally, before: PortTally) -> PortTally:
    drops = {reason: count - before.drops.get(reason, 0) for reason, count in now.drops.items()}
    return PortTally(
        port=now.port,
        rx_frames=now.rx_frames - before.rx_frames,
        tx_frames=now.tx_frames - before.tx_frames,
        drops={reason: count for reason, count in drops.items() if count},
    )


def restart(before: Tally, after: Tally) -> str:
    """Say how it is known that a DUT was started anew between two tallies; empty where nothing tells of it."""
    if before.boot != after.boot:
        return f"its boot was {before.boot} and is {after.boot}"
    earlier = {port.port: port for port in before.ports}
    for port in after.ports:
        was = earlier.get(port.port)
        if was is None:
            return f"it had no port {port.port} before"
        for what, now, then in (("received", port.rx_frames, was.rx_frames), ("sent", port.tx_frames, was.tx_frames)):
            if now < then:
                return f"its port {port.port} had {what} {then} frames and now {now}"
    return ""


def losses(directions: Sequence[DirectionCount], counted: Tally, dut_ports: Mapping[int, int]) -> tuple[HopLoss, ...]:
    """Say where the frames of a trial were lost.

    Args:
        directions: what the generator counted.
        counted: what the DUT counted over the trial.
        dut_ports: the DUT's port on the link of each port of the generator.

    Returns:
        Hops in the order in which a frame passes them, then what is ``not accounted for``: frames that no counter tells
        of. Empty where nothing was lost or the DUT does not count.

    """
    lost = sum(max(0, direction.lost_frames) for direction in directions)
    if not lost or not counted.ports:
        return ()
    unsent: dict[int, int] = {}
    for direction in directions:
        missing = max(0, direction.intended_frames - direction.sent_frames)
        unsent[direction.tx_port] = unsent.get(direction.tx_port, 0) + missing
    found = [*_on_the_way_in(directions, counted, dut_ports), *_in_the_dut(counted)]
    for balance in _from_dut(directions, counted, dut_ports):
        missing = balance.frames_in - balance.frames_out - balance.missing_frames_max
        found.append(HopLoss(hop=balance.hop, frames=missing, port=balance.port))
    rest = lost - sum(max(0, loss.frames) for loss in found)
    found = [HopLoss(hop="generator", frames=frames, port=port) for port, frames in unsent.items()] + found
    return tuple(loss for loss in [*found, HopLoss(hop="not accounted for", frames=rest)] if loss.frames > 0)


def balances(
    directions: Sequence[DirectionCount], counted: Tally, dut_ports: Mapping[int, int]
) -> tuple[HopBalance, ...]:
    """Put the counts on both sides of each link, and those of the DUT, beside each other.

    Args:
        directions: what the generator counted.
        counted: what the DUT counted over the trial.
        dut_ports: the DUT's port on the link of each port of the generator.

    Returns:
        The links to the DUT, the DUT, the links from it. Empty where the DUT does not count every frame: then nobody
        can tell a link that lost a frame from a counter that does not tell of it.

    """
    if not counted.complete:
        return ()
    dropped = sum(sum(port.drops.values()) for port in counted.ports)
    inside = HopBalance(
        hop="DUT",
        frames_in=sum(port.rx_frames for port in counted.ports) + counted.originated,
        frames_out=sum(port.tx_frames for port in counted.ports) + dropped + counted.consumed + counted.held,
    )
    to_dut, from_dut = (of(directions, counted, dut_ports) for of in (_to_dut, _from_dut))
    return (*to_dut, inside, *from_dut)


def _to_dut(
    directions: Iterable[DirectionCount], counted: Tally, dut_ports: Mapping[int, int]
) -> tuple[HopBalance, ...]:
    put = {port.port: 0 for port in counted.ports}
    for direction in directions:
        put[dut_ports[direction.tx_port]] += direction.sent_frames - direction.refused_frames
    return tuple(
        HopBalance(
            hop="link to the DUT",
            port=port.port,
            frames_in=put[port.port],
            frames_out=port.rx_frames,
            surplus_frames_max=None,
        )
        for port in counted.ports
    )


def _from_dut(
    directions: Sequence[DirectionCount], counted: Tally, dut_ports: Mapping[int, int]
) -> tuple[HopBalance, ...]:
    """Of what the DUT sent, the generator counts only the test's own frames and those that look like them."""
    arrived = {port.port: 0 for port in counted.ports}
    for direction in directions:
        arrived[dut_ports[direction.rx_port]] += direction.received_frames
        for wrong in direction.wrong:
            arrived[dut_ports[wrong.port]] += wrong.frames
    foreign = sum(max(0, side.frames_out - side.frames_in) for side in _to_dut(directions, counted, dut_ports))
    no_test_frames = counted.originated + foreign + max(0, -counted.held)
    return tuple(
        HopBalance(
            hop="link from the DUT",
            port=port.port,
            frames_in=port.tx_frames,
            frames_out=arrived[port.port],
            missing_frames_max=no_test_frames,
        )
        for port in counted.ports
    )


def _on_the_way_in(directions: Sequence[DirectionCount], counted: Tally, dut_ports: Mapping[int, int]) -> list[HopLoss]:
    """Frames that found no room in the receive ring, by the generator's own count, or got lost on the link."""
    refused = {port.port: 0 for port in counted.ports}
    for direction in directions:
        refused[dut_ports[direction.tx_port]] += direction.refused_frames
    found = []
    for balance in _to_dut(directions, counted, dut_ports):
        missing = balance.frames_in - balance.frames_out
        found.append(HopLoss(hop=balance.hop, frames=missing, port=balance.port))
    return found + [
        HopLoss(hop="Rx ring", frames=frames, reason="refused_frames", port=port) for port, frames in refused.items()
    ]


def _in_the_dut(counted: Tally) -> list[HopLoss]:
    found = [
        HopLoss(hop=HOP_OF_REASON.get(reason, "other drops"), frames=frames, reason=reason, port=port.port)
        for port in counted.ports
        for reason, frames in port.drops.items()
        if reason not in NO_TEST_FRAMES
    ]
    order = list(_REASONS_BY_HOP)
    found.sort(key=lambda loss: order.index(loss.hop))
    return [*found, HopLoss(hop="held", frames=counted.held)]
