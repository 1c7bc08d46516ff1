"""What no machine may exceed, whatever its caches do: line rate, the PCIe slot, the port, the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

PREAMBLE_AND_GAP_BYTES = 20  # IEEE 802.3: 7 preamble, 1 start of frame, 12 inter-frame gap
SMALLEST_FRAME_BYTES = 64

Traffic = Literal["both ways", "tx batched", "tx single"]
"""What crosses a card's slot: as many frames in as out, or frames sent only, a doorbell for a batch or for each."""

CARD_NUMBERS: Mapping[Traffic, str] = {"both ways": "card", "tx batched": "card_tx", "tx single": "card_tx_single"}
"""The number of a machine that says how many 64-byte frames a card moves with such traffic."""


def line_rate_pps(line_rate_gbps: float, frame_size_bytes: int) -> float:
    """Return the frames a second that one port can carry; the frame size includes the FCS (RFC 2544, 9)."""
    return line_rate_gbps * 1e9 / (8 * (frame_size_bytes + PREAMBLE_AND_GAP_BYTES))


def card_pps(numbers: Mapping[str, float], frame_size_bytes: int, traffic: Traffic = "both ways") -> float:
    """Return the frames a second that one PCIe card can move (both ways: forwarded, in and out).

    A card moves ``card_bytes`` GB/s; each frame costs its size and a fixed overhead (descriptors, headers,
    doorbells), which is what makes it ``card``, ``card_tx`` or ``card_tx_single`` Mpps at 64 bytes.

    Args:
        numbers: one draw of a machine's numbers.
        frame_size_bytes: with FCS.
        traffic: what crosses the slot.

    Raises:
        KeyError: the machine has no such number (``Machine.needs``).

    """
    bytes_per_s = numbers["card_bytes"] * 1e9
    overhead_bytes = bytes_per_s / (numbers[CARD_NUMBERS[traffic]] * 1e6) - SMALLEST_FRAME_BYTES
    return bytes_per_s / (frame_size_bytes + overhead_bytes)


def caps_pps(
    numbers: Mapping[str, float],
    ports: int,
    ports_per_card: int,
    line_rate_gbps: float,
    frame_size_bytes: int,
    traffic: Traffic = "both ways",
) -> dict[str, float]:
    """Return the ceilings of all ports together in frames a second, by name.

    ``line rate`` always; of a machine with NICs also ``pcie``, and where known ``nic`` (each port) and ``device`` (each
    card's device, all ports). The last two are packet rates whatever the size: the XL710's is published as one for
    frames below 160 bytes, because above the slot's bytes are less.
    """
    caps = {"line rate": ports * line_rate_pps(line_rate_gbps, frame_size_bytes)}
    cards = -(-ports // ports_per_card)
    if CARD_NUMBERS[traffic] in numbers:
        caps["pcie"] = cards * card_pps(numbers, frame_size_bytes, traffic)
    if "nic_port" in numbers:
        caps["nic"] = ports * numbers["nic_port"] * 1e6
    if "device" in numbers:
        caps["device"] = cards * numbers["device"] * 1e6
    return caps
