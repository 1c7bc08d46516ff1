"""Frame sizes of IPv6 traffic (RFC 5180)."""

from __future__ import annotations

from collections.abc import Sequence

ETHERNET_SIZES_BYTES = (64, 128, 256, 512, 1024, 1280, 1518)
"""Sizes with FCS for Ethernet (RFC 5180 section 5.1.1): those of RFC 2544 section 9.1."""
TAGGED_SIZE_BYTES = 1522
"""The largest frame with a VLAN tag, which the same section names as usual in operation."""
JUMBO_SIZES_BYTES = (4096, 8192, 9216)
"""Jumbo frames that the same section gives as examples: for a DUT that supports them."""

_ETHERNET_BYTES, _IP6_BYTES, _UDP_BYTES, _FCS_BYTES = 14, 40, 8, 4


def least_frame_bytes(payload_bytes: int = 0) -> int:
    """Return the least size with FCS of an untagged Ethernet frame with IPv6, UDP and so much payload: 66 without any.

    So 64 bytes, the least size of Ethernet, are too few for IPv6 with UDP.
    """
    return _ETHERNET_BYTES + _IP6_BYTES + _UDP_BYTES + payload_bytes + _FCS_BYTES


def frame_sizes_bytes(payload_bytes: int, sizes_bytes: Sequence[int] = ETHERNET_SIZES_BYTES) -> tuple[int, ...]:
    """Return the sizes to test with: those too small for IPv6, UDP and the payload give way to the least possible.

    Args:
        payload_bytes: that every frame must have room for (number, time stamp and check of a generator).
        sizes_bytes: with FCS.

    Returns:
        Ascending, each once.

    """
    least = least_frame_bytes(payload_bytes)
    return tuple(sorted({max(size, least) for size in sizes_bytes}))
