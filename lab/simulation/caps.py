"""What no machine may exceed, whatever its caches do: line rate, the PCIe slot, the device."""

from __future__ import annotations

from collections.abc import Mapping

PREAMBLE_AND_GAP_BYTES = 20  # IEEE 802.3: 7 preamble, 1 start of frame, 12 inter-frame gap


def line_rate_pps(line_rate_gbps: float, frame_size_bytes: int) -> float:
    """Return the frames a second that one port can carry; the frame size includes the FCS (RFC 2544, 9)."""
    return line_rate_gbps * 1e9 / (8 * (frame_size_bytes + PREAMBLE_AND_GAP_BYTES))


def card_pps(numbers: Mapping[str, float], frame_size_bytes: int) -> float:
    """Return the frames a second, both ways, that one PCIe card can move.

    A card moves ``card_bytes`` GB/s; each frame costs its size and a fixed overhead (descriptors, headers), which is
    what makes it ``card`` Mpps at 64 bytes.

    Args:
        numbers: one draw of a machine's numbers.
        frame_size_bytes: with FCS.

    """
    bytes_per_s = numbers["card_bytes"] * 1e9
    overhead_bytes = bytes_per_s / (numbers["card"] * 1e6) - 64
    return bytes_per_s / (frame_size_bytes + overhead_bytes)


def caps_pps(
    numbers: Mapping[str, float], ports: int, ports_per_card: int, line_rate_gbps: float, frame_size_bytes: int
) -> dict[str, float]:
    """Return the ceilings of all ports together in frames a second, by name ("line rate", "pcie", "nic").

    A machine without NICs has only the line rate.
    """
    caps = {"line rate": ports * line_rate_pps(line_rate_gbps, frame_size_bytes)}
    if "card" in numbers:
        caps["pcie"] = -(-ports // ports_per_card) * card_pps(numbers, frame_size_bytes)
        caps["nic"] = ports * numbers["nic_port"] * 1e6
    return caps
