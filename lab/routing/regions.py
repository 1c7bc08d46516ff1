"""Which addresses lie behind which port of a router that is tested with a large table.

Traffic of one direction has to leave by one port, whatever random destination a frame has. So each port stands for a
part of the address space: those with even numbers for parts of 0.0.0.0/1, the others for parts of 128.0.0.0/2. A part's
cover, one short route, leads its every address out by its port; the routes of the table lie inside and lead to many
gateways on the same port.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

from lab.models import Model
from lab.testbed.ports import Port

GATEWAYS = 16
"""Gateways of a port, as a router at an exchange has neighbours by the dozen."""

_FIRST_GATEWAY = 16
_HALVES = (IPv4Network("0.0.0.0/1"), IPv4Network("128.0.0.0/2"))
_FIRST_ADDRESS, _LAST_OF_FIRST_HALF = IPv4Address("1.0.0.0"), IPv4Address("126.255.255.255")


class Gateway(Model):
    """A neighbour of a port that routes lead to, with a MAC address by which a frame's next hop can be told."""

    address: str
    mac: str


class Region(Model):
    """What lies behind the DUT's port ``port``: the addresses from ``first`` to ``last``, inside ``cover``."""

    port: int
    cover: str
    first: str
    last: str
    gateways: tuple[Gateway, ...]

    @property
    def destinations(self) -> str:
        """The addresses as a range, as lab.traffic.load.Direction takes it."""
        return f"{self.first}-{self.last}"


def regions(ports: Sequence[Port], peers: Sequence[Port]) -> tuple[Region, ...]:
    """Share the address space out among the ports of a DUT.

    Args:
        ports: of the DUT, in their order.
        peers: the port at the other end of each one's link.

    Returns:
        One region for each port. Its gateways are hosts of the port's own network, or the peer alone where that
        network has too few addresses.

    """
    halves = [len(ports[0::2]), len(ports[1::2])]
    found = []
    for number, (port, peer) in enumerate(zip(ports, peers, strict=True)):
        half, place = _HALVES[number % 2], number // 2
        part = list(half.subnets(prefixlen_diff=(halves[number % 2] - 1).bit_length()))[place]
        found.append(
            Region(
                port=number,
                cover=str(part),
                first=str(max(part.network_address, _FIRST_ADDRESS)),
                last=str(part.broadcast_address if number % 2 else min(part.broadcast_address, _LAST_OF_FIRST_HALF)),
                gateways=_gateways(number, port, peer),
            )
        )
    return tuple(found)


def _gateways(number: int, port: Port, peer: Port) -> tuple[Gateway, ...]:
    network = port.address.network
    if network.num_addresses < _FIRST_GATEWAY + GATEWAYS + 3:
        return (Gateway(address=str(peer.address.ip), mac=peer.mac),)
    taken = {port.address.ip, peer.address.ip}
    free = [network[i] for i in range(_FIRST_GATEWAY, _FIRST_GATEWAY + GATEWAYS + 2) if network[i] not in taken]
    return tuple(
        Gateway(address=str(address), mac=f"02:67:00:00:{number:02x}:{place:02x}")
        for place, address in enumerate(free[:GATEWAYS])
    )
