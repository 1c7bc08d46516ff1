"""The test frames of RFC 2544 appendix C and RFC 5180: UDP to the discard port, over IPv4 or IPv6."""

from __future__ import annotations

import ipaddress

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from lab.errors import UsageError
from lab.methods.trial import FCS_BYTES
from lab.traffic.load import Direction, PortAddresses, address_range, drawn
from lab.traffic.models import Sweep

UDP_DISCARD = 9
"""Destination port of test frames (RFC 2544 appendix C.2.6.4 asks for the echo or discard port)."""
TTL = 64

_SWEPT_BYTES = 4  # of an address: all of IPv4's, the last ones of IPv6's
_SOURCE_ENDS = {4: 30, 6: 38}  # offset behind the source address, by version of IP
_DESTINATION_ENDS = {4: 34, 6: 54}
_TAG_BYTES = 16  # sequence number and time stamp


def udp_frame(direction: Direction, frame_size_bytes: int, *, tagged: bool = False) -> bytes:
    """Build the test frame of a direction, from its first host to its first host.

    Args:
        direction: where it comes from and goes to.
        frame_size_bytes: with FCS, at least 64; over IPv6 at least 66.
        tagged: it needs room for a sequence number and a time stamp.

    Returns:
        The frame without FCS, ``frame_size_bytes - 4`` long, padded with zeros.

    Raises:
        UsageError: its headers do not fit into the size.

    """
    source, destination = direction.tx.first_host, direction.rx.first_host
    if direction.version == 6:
        network = IPv6(src=source, dst=destination, hlim=TTL)
    else:
        network = IP(src=source, dst=destination, ttl=TTL)
    head = Ether(src=direction.tx.mac, dst=direction.tx.dut_mac) / network
    head /= UDP(sport=1024 + direction.tx.port, dport=UDP_DISCARD)
    if direction.version == 4:
        # A checksum of 0 means "none" (RFC 768): the field engine changes addresses and cannot keep another one true.
        # IPv6 forbids it (RFC 8200 section 8.1): there the field engine computes it anew.
        head[UDP].chksum = 0
    padding = frame_size_bytes - FCS_BYTES - len(head)
    if padding < (_TAG_BYTES if tagged else 0):
        least = len(head) + FCS_BYTES + (_TAG_BYTES if tagged else 0)
        kind = "a tagged" if tagged else "a"
        raise UsageError(
            f"{kind} UDP frame over IPv{direction.version} has no room in {frame_size_bytes} bytes: ask for {least} "
            "bytes or more"
        )
    return bytes(head / bytes(padding))


def sweeps(direction: Direction) -> tuple[Sweep, ...]:
    """Return how the addresses change from frame to frame: step through all hosts, or have random destinations."""
    return (
        _hosts("src", _SOURCE_ENDS[direction.version], direction.tx),
        _destinations(direction, _DESTINATION_ENDS[direction.version]),
    )


def _hosts(name: str, end_bytes: int, port: PortAddresses) -> Sweep:
    first = int(ipaddress.ip_address(port.first_host)) % (1 << 8 * _SWEPT_BYTES)
    return Sweep(name=name, offset_bytes=end_bytes - _SWEPT_BYTES, first=first, count=port.hosts)


def _destinations(direction: Direction, end_bytes: int) -> Sweep:
    if not direction.destinations:
        return _hosts("dst", end_bytes, direction.rx)
    first, count = address_range(direction.destinations[0])
    return Sweep(
        name="dst",
        offset_bytes=end_bytes - _SWEPT_BYTES,
        first=first,
        count=count,
        random=True,
        values=drawn(direction.destinations) if len(direction.destinations) > 1 else (),
    )
