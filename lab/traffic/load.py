"""From a trial's request to streams: the frames of RFC 2544 appendix C, the rates of each direction."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from lab.methods.trial import FCS_BYTES, TrialRequest
from lab.models import Model
from lab.traffic.models import Stream, Sweep

IPV4_SOURCE_OFFSET_BYTES = 26
IPV4_DESTINATION_OFFSET_BYTES = 30
UDP_DISCARD = 9
"""Destination port of test frames (RFC 2544 appendix C.2.6.4 asks for the echo or discard port)."""

TTL = 64


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
    """Traffic from the hosts of one port to the hosts of another."""

    tx: PortAddresses
    rx: PortAddresses


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
    most half of it. Bulk frames step through all pairs of the two ports' hosts.

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
            _sweep("dst", IPV4_DESTINATION_OFFSET_BYTES, direction.rx),
        )
        bulk = Stream(
            pg_id=2 * index + 1,
            tx_port=tx_port,
            rx_port=rx_port,
            frame=frame,
            rate_pps=rate_pps - tagged_pps,
            sweeps=sweeps,
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
