"""A DUT made ready for a large table, and the traffic that goes with it."""

from __future__ import annotations

from collections.abc import Sequence

from lab.dut.protocol import Dut
from lab.routing.regions import Region
from lab.traffic.load import Direction
from lab.traffic.router import RouterPort


def cover(dut: Dut, regions: Sequence[Region], ports: Sequence[RouterPort]) -> None:
    """Give a DUT the gateways of all regions as neighbours (see ``gather``), and a route for each region as a whole."""
    gather(dut, regions, ports)
    for region, port in zip(regions, ports, strict=True):
        dut.route_add(region.cover, port.tester_address)


def gather(dut: Dut, regions: Sequence[Region], ports: Sequence[RouterPort]) -> None:
    """Have all gateways of a port answer to its tester's MAC address, as a generator that verifies frames expects."""
    for region, port in zip(regions, ports, strict=True):
        for gateway in region.gateways:
            dut.neighbour_add(region.port, gateway.address, port.tester_mac)


def tell_apart(dut: Dut, regions: Sequence[Region]) -> None:
    """Give every gateway a MAC address of its own, which tells the next hop of a single frame."""
    for region in regions:
        for gateway in region.gateways:
            dut.neighbour_add(region.port, gateway.address, gateway.mac)


def uncover(dut: Dut, regions: Sequence[Region]) -> None:
    """Remove the routes of ``cover``; permanent neighbours stay."""
    for region in regions:
        dut.route_del(region.cover)


def spread(regions: Sequence[Region], ports: Sequence[RouterPort]) -> tuple[Direction, ...]:
    """Return traffic between pairs of ports (RFC 2544 section 14), to random destinations all over the far region."""
    behind = {port.index: region.destinations for port, region in zip(ports, regions, strict=True)}
    addresses = [port.addresses() for port in ports]
    pairs = [pair for two in zip(addresses[::2], addresses[1::2], strict=True) for pair in (two, two[::-1])]
    return tuple(Direction(tx=tx, rx=rx, destinations=(behind[rx.port],)) for tx, rx in pairs)
