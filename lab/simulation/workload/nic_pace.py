"""How fast wire, PCIe slot and device of a NIC let frames pass, from one draw of a machine's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from lab.simulation.caps import line_rate_pps
from lab.simulation.scene import PS_PER_NS
from lab.simulation.workload.built import Numbers
from lab.simulation.workload.case import Case

SMALLEST_FRAME_BYTES = 64  # what the numbers "card" and "card_tx" were measured with
RECEIVE_BUFFER_BYTES = 512 * 1024  # receive packet buffer of a port (82599, RXPBSIZE)
READS_BEFORE_SENDING = 2  # the descriptor, then the frame


@dataclass(frozen=True)
class Pace:
    """Times of one port; all in ps, 0 where there is no such limit.

    Attributes:
        arrival_ps: between two frames that arrive at the port.
        wire_ps: between two frames on the wire, at the least.
        receive_card_ps: how long a received frame occupies the PCIe slot that the ports of a card share.
        send_card_ps: the same for a sent frame whose doorbell is shared by many.
        bell_card_ps: what a doorbell of its own, with the fetch of a single descriptor, adds.
        device_ps: how long a frame occupies the device that the ports of a card share, in each direction.
        doorbell_ps: store buffer occupancy of the core that writes the tail register.
        fetch_ps: from the doorbell of an idle port to the frame.
        patience_ps: how long the port's packet buffer holds out.

    """

    arrival_ps: int
    wire_ps: int
    receive_card_ps: int
    send_card_ps: int
    bell_card_ps: int
    device_ps: int
    doorbell_ps: int
    fetch_ps: int
    patience_ps: int


def pace(numbers: Numbers, case: Case) -> Pace:
    """Return the times of each port of a case.

    A card forwards ``card`` million 64-byte frames a second, each received and sent, and sends ``card_tx`` when it only
    sends: the difference is what receiving costs. Both come from the same slot, so one meter a card serves both ways.
    Larger frames cost their bytes at ``card_bytes`` GB/s once, on the way out: the two ways of PCIe are separate wires.

    Args:
        numbers: ``doorbell`` and ``pcie_read`` in ns and, where known, ``nic_port``, ``card``, ``card_tx``,
            ``card_tx_single``, ``device`` in Mpps, ``card_bytes`` in GB/s.
        case: ports, line rate, frame size and offered load (of all ports together).

    """
    wire_ps = 1e12 / line_rate_pps(case.line_rate_gbps, case.frame_size_bytes)
    if "nic_port" in numbers:
        wire_ps = max(wire_ps, 1e6 / numbers["nic_port"])
    arrival_ps = wire_ps if case.offered_pps is None else max(wire_ps, 1e12 * case.ports / case.offered_pps)
    card_ps = 1e6 / numbers["card"] if "card" in numbers else 0.0
    send_ps = 1e6 / numbers["card_tx"] if "card_tx" in numbers else card_ps / 2
    bell_ps = 1e6 / numbers["card_tx_single"] - send_ps if "card_tx_single" in numbers else 0.0
    more_bytes = case.frame_size_bytes - SMALLEST_FRAME_BYTES
    more_ps = more_bytes * 1e3 / numbers["card_bytes"] if "card_bytes" in numbers else 0.0
    return Pace(
        arrival_ps=ceil(arrival_ps),
        wire_ps=ceil(wire_ps),
        receive_card_ps=ceil(max(card_ps - send_ps, 0)),
        send_card_ps=ceil(send_ps + more_ps),
        bell_card_ps=ceil(max(bell_ps, 0)),
        device_ps=ceil(1e6 / numbers["device"]) if "device" in numbers else 0,
        doorbell_ps=int(numbers["doorbell"] * PS_PER_NS),
        fetch_ps=int(READS_BEFORE_SENDING * numbers["pcie_read"] * PS_PER_NS),
        patience_ps=ceil(RECEIVE_BUFFER_BYTES / case.frame_size_bytes * arrival_ps),
    )
