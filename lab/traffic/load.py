"""Where test traffic comes from and goes to."""

from __future__ import annotations

import functools
import ipaddress
import random
from typing import Self

from pydantic import Field, field_validator, model_validator

from lab.models import Model

LISTED_DESTINATIONS = 65535
"""Most values that the official client allows in a list of its field engine."""


class PortAddresses(Model):
    """One generator port and the hosts that it stands for.

    ``dut_mac`` is the address of the DUT's port on the same link. The hosts are ``hosts`` addresses from
    ``first_host``, of IPv4 or of IPv6; of the latter only the last four bytes differ.
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

    Its share of a load is by its ``weight``: with one of IPv4 and one of IPv6 between the same ports these are the
    ratio of both in the traffic (RFC 5180 asks for several).
    """

    tx: PortAddresses
    rx: PortAddresses
    hops: int = 1
    destinations: tuple[str, ...] = ()
    weight: float = Field(default=1.0, gt=0)

    @property
    def version(self) -> int:
        """The version of IP of its frames, by the hosts of ``tx``: 4 or 6."""
        return ipaddress.ip_address(self.tx.first_host).version

    @model_validator(mode="after")
    def _speaks_one_version(self) -> Self:
        if ipaddress.ip_address(self.rx.first_host).version != self.version:
            raise ValueError(f"the hosts {self.tx.first_host} and {self.rx.first_host} are of two versions of IP")
        if self.version == 6 and self.destinations:
            raise ValueError("destinations are networks of IPv4; over IPv6 frames step through the hosts of rx")
        return self

    @field_validator("destinations")
    @classmethod
    def _are_networks(cls, destinations: tuple[str, ...]) -> tuple[str, ...]:
        for destination in destinations:
            address_range(destination)
        return destinations


def address_range(destination: str) -> tuple[int, int]:
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
def drawn(destinations: tuple[str, ...]) -> tuple[int, ...]:
    """Draw the listed addresses, the same ones whenever the networks are the same."""
    ranges = [address_range(destination) for destination in destinations]
    dice = random.Random(len(ranges))
    return tuple(first + dice.randrange(count) for first, count in dice.choices(ranges, k=LISTED_DESTINATIONS))
