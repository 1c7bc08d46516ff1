"""From a trial's request to streams: the frames of RFC 2544 appendix C, the rates of each direction."""

from __future__ import annotations

import functools
import ipaddress
import random
from collections.abc import Sequence

from pydantic import field_validator
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from lab.methods.trial import FCS_BYTES, TrialRequest
from lab.models import Model
from lab.traffic.models import Arrival, Stream, Sweep

IPV4_SOURCE_OFFSET_BYTES = 26
IPV4_DESTINATION_OFFSET_BYTES = 30
UDP_DISCARD = 9
"""Destination port of test frames (RFC 2544 appendix C.2.6.4 asks for the echo or discard port)."""

TTL = 64

LISTED_DESTINATIONS = 65535
"""Most values that the official client allows in a list of its field engine."""


class PortAddresses(Model):
    """One generator port and the hosts that it stands for.

    ``dut_mac`` is the address of the DUT's port on the same link. The hosts are ``hosts`` addresses from
    ``first_host``.
    """

    port: int
    mac: str
    dut_mac: str
    first_host: str
    hosts: int


class Direction(Model):
    """Traffic from the hosts of one port to the hosts of another.

    With ``destinations`` (networks and ranges, such as ``("16.0.0.0/4",)`` or ``("1.0.0.0-9.255.255.255",)``) each bulk
    frame goes to an address drawn from them at random, the same ones in every trial, instead of stepping through the
    hosts of ``rx``. From a single one every address may be drawn; from several, LISTED_DESTINATIONS addresses are, each
    of them as likely as another.

    Frames arrive from ``rx.dut_mac`` at ``rx.mac``, and their TTL is less by ``hops``: 1 for a router between, 0 for a
    wire, a bridge or a forwarder in layer 2. Anything else of them that differs is a fault of the DUT.
    """

    tx: PortAddresses
    rx: PortAddresses
    hops: int = 1
    destinations: tuple[str, ...] = ()

    @field_validator("destinations")
    @classmethod
    def _are_networks(cls, destinations: tuple[str, ...]) -> tuple[str, ...]:
        for destination in destinations:
            _range(destination)
        return destinations


def udp_frame(direction: Direction, frame_size_bytes: int) -> bytes:
    """Build the test frame of a direction, from its first host to its first host.

    Args:
        direction: where it comes from and goes to.
        frame_size_bytes: with FCS, at least 64.

    Returns:
        The frame without FCS, ``frame_size_bytes - 4`` long, padded with zeros.

    """
    head = (
        Ether(src=direction.tx.mac, dst=direction.tx.dut_mac)
        / IP(src=direction.tx.first_host, dst=direction.rx.first_host, ttl=TTL)
        / UDP(sport=1024 + direction.tx.port, dport=UDP_DISCARD)
    )
    padding = frame_size_bytes - FCS_BYTES - len(head)
    # A UDP checksum of 0 means "none" (RFC 768): the field engine changes addresses and cannot keep another one true.
    head[UDP].chksum = 0
    return bytes(head / bytes(padding))


def streams_for(request: TrialRequest, directions: Sequence[Direction]) -> tuple[Stream, ...]:
    """Turn a request into streams: one of bulk and, where asked, one of tagged frames for each direction.

    The load is shared equally among the directions. The tagged stream is part of the load of its direction and takes at
    most half of it. Bulk frames step through all pairs of the two ports' hosts, or have random destinations.

    Returns:
        Streams with pg_ids ``2*i+1`` (bulk) and ``2*i+2`` (tagged) of direction ``i``.

    """
    rate_pps = request.rate_pps / len(directions)
    tagged_pps = min(request.tagged_rate_pps, rate_pps / 2) if request.tagged else 0.0
    streams: list[Stream] = []
    for index, direction in enumerate(directions):
        frame = udp_frame(direction, request.frame_size_bytes)
        tx_port, rx_port = direction.tx.port, direction.rx.port
        sweeps = (
            _sweep("src", IPV4_SOURCE_OFFSET_BYTES, direction.tx),
            _destinations(direction),
        )
        bulk = Stream(
            pg_id=2 * index + 1,
            tx_port=tx_port,
            rx_port=rx_port,
            frame=frame,
            rate_pps=rate_pps - tagged_pps,
            sweeps=sweeps,
            arrival=Arrival(src_mac=direction.rx.dut_mac, dst_mac=direction.rx.mac, hops=direction.hops),
        )
        streams.append(bulk)
        if tagged_pps > 0:
            streams.append(
                bulk.model_copy(update={"pg_id": 2 * index + 2, "rate_pps": tagged_pps, "tagged": True, "sweeps": ()})
            )
    return tuple(streams)


def _sweep(name: str, offset_bytes: int, port: PortAddresses) -> Sweep:
    return Sweep(
        name=name, offset_bytes=offset_bytes, first=int(ipaddress.IPv4Address(port.first_host)), count=port.hosts
    )


def _destinations(direction: Direction) -> Sweep:
    if not direction.destinations:
        return _sweep("dst", IPV4_DESTINATION_OFFSET_BYTES, direction.rx)
    first, count = _range(direction.destinations[0])
    return Sweep(
        name="dst",
        offset_bytes=IPV4_DESTINATION_OFFSET_BYTES,
        first=first,
        count=count,
        random=True,
        values=_drawn(direction.destinations) if len(direction.destinations) > 1 else (),
    )


def _range(destination: str) -> tuple[int, int]:
    """Return the first address and the number of addresses of ``A.B.C.D/LEN`` or ``A.B.C.D-E.F.G.H``."""
    first, _, last = destination.partition("-")
    if not last:
        network = ipaddress.IPv4Network(first)
        return int(network.network_address), network.num_addresses
    start, count = int(ipaddress.IPv4Address(first)), int(ipaddress.IPv4Address(last)) + 1
    if count <= start:
        raise ValueError(f"the range {destination} ends before it begins")
    return start, count - start


@functools.lru_cache(maxsize=64)
def _drawn(destinations: tuple[str, ...]) -> tuple[int, ...]:
    """Draw the listed addresses, the same ones whenever the networks are the same."""
    ranges = [_range(destination) for destination in destinations]
    dice = random.Random(len(ranges))
    return tuple(first + dice.randrange(count) for first, count in dice.choices(ranges, k=LISTED_DESTINATIONS))
