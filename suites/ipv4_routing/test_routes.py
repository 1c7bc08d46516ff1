"""Large routing tables: where frames go, how fast, and whether an update costs one.

The table has the prefix lengths of the public one (lab.routing.table). Each port stands for a region of the address
space (lab.routing.regions): destinations all over it leave by that port, towards one of many gateways.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterator

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from lab.dut.protocol import Dut
from lab.dut.subject import Subject
from lab.images import PixManifest
from lab.measurements import Measurements
from lab.methods.trial import line_rate_pps
from lab.routing.lpm import LongestPrefixMatch
from lab.routing.regions import Region
from lab.routing.setup import cover, gather, spread, tell_apart, uncover
from lab.routing.table import RouteTable
from lab.traffic.router import RouterTester

FRAME_SIZE_BYTES = 64
SIZES = {"1": 0, "1k": 1_000, "100k": 100_000, "1M": 1_000_000}
"""Routes loaded from the file, beside one a port that covers its whole region."""

PROBES = 100
UPDATES = 200
UPDATE_PAUSE_S = 0.02
UPDATE_LOAD_PPS = 50_000.0
"""Of all directions: where the DUT's shell shares a host core with the generator, an update stops that for a while."""


@pytest.fixture(scope="module")
def covered(dut: Dut, image: Subject, router: RouterTester, regions: tuple[Region, ...]) -> Iterator[None]:
    """Give the DUT the gateways as neighbours, and a route for each region as a whole."""
    if not isinstance(image, PixManifest):
        pytest.skip(f"{image.name} takes no route file")
    cover(dut, regions, router.ports)
    yield
    uncover(dut, regions)


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest, covered: None, dut: Dut, route_table: RouteTable) -> Iterator[str]:
    """Load so many routes."""
    if SIZES[request.param]:
        dut.load_routes(SIZES[request.param])
    yield request.param
    dut.clear_routes()


@pytest.fixture(scope="module")
def model(size: str, route_table: RouteTable, router: RouterTester, regions: tuple[Region, ...]) -> LongestPrefixMatch:
    """Return what the DUT should do with the routes that it has."""
    expected = route_table.model(SIZES[size])
    for region, port in zip(regions, router.ports, strict=True):
        whole = ipaddress.IPv4Network(region.cover)
        expected.add(int(whole.network_address), whole.prefixlen, port.tester_address)
    return expected


@pytest.fixture(name="require_right_gateways")
def _require_right_gateways(
    dut: Dut,
    router: RouterTester,
    regions: tuple[Region, ...],
    route_table: RouteTable,
    size: str,
    model: LongestPrefixMatch,
) -> Iterator[Callable[[], None]]:
    """Return what sends single frames to gateways that can be told apart."""

    def require() -> None:
        tell_apart(dut, regions)
        _require_right_gateways_of(router, regions, route_table, SIZES[size], model)

    yield require
    gather(dut, regions, router.ports)


def _require_right_gateways_of(
    router: RouterTester, regions: tuple[Region, ...], routes: RouteTable, loaded: int, expected: LongestPrefixMatch
) -> None:
    """Send frames from each port to random addresses behind the next one, half of them in routes of the table."""
    macs = {gateway.address: gateway.mac for region in regions for gateway in region.gateways}
    macs |= {port.tester_address: port.tester_mac for port in router.ports}
    dice = random.Random(loaded)
    for number, source in enumerate(router.ports):
        target, region = router.ports[number ^ 1], regions[number ^ 1]
        first, last = int(ipaddress.IPv4Address(region.first)), int(ipaddress.IPv4Address(region.last))
        inside = [
            prefix + dice.randrange(1 << (32 - length))
            for prefix, length, _ in routes.routes(min(loaded, 10 * PROBES))
            if first <= prefix <= last
        ]
        chosen = dice.sample(inside, min(len(inside), PROBES // 2))
        chosen += [dice.randint(first, last) for _ in range(PROBES - len(chosen))]
        addresses = [str(ipaddress.IPv4Address(address)) for address in chosen]
        sent = [router.ipv4(source, target, dst=address) / UDP() / Raw(bytes(18)) for address in addresses]
        out = router.send(source, *sent, expect=len(sent), wait_s=2.0).at(target)
        assert [packet[IP].dst for packet in out] == addresses
        for address, packet in zip(chosen, out, strict=True):
            assert packet[Ether].dst == macs[way_of(expected, address)], f"{packet[IP].dst} went to the wrong gateway"


def way_of(expected: LongestPrefixMatch, address: int) -> str:
    """Return the gateway of an address that has a route."""
    found = expected.lookup(address)
    assert found is not None
    return found[2]


def test_destinations_all_over_the_table_go_to_their_gateways(require_right_gateways: Callable[[], None]) -> None:
    """As a plain longest prefix match of the same routes says."""
    require_right_gateways()


def test_pdr_to_random_destinations(
    measure: Measurements, router: RouterTester, regions: tuple[Region, ...], size: str
) -> None:
    """Each frame to another place of the table, so that no cache holds what the next one needs."""
    # The simulation knows of no cost of a table: that its lines are not all cached is what this may show.
    ways = spread(regions, router.ports)
    varied = measure.varied(f"{size} routes, random destinations", ways, baselines=measure.baselines)
    found = varied.pdr(FRAME_SIZE_BYTES)
    assert found.lower_pps is not None, "no load at all was forwarded with at most 0.5 % loss"


@pytest.mark.parametrize("size", ["1M"], indirect=True)
def test_updates_under_load_cost_no_frame(
    measure: Measurements,
    dut: Dut,
    router: RouterTester,
    regions: tuple[Region, ...],
    size: str,
    require_right_gateways: Callable[[], None],
) -> None:
    """While routes of the full table are withdrawn and announced again, every frame leaves by its port.

    A withdrawn route uncovers a shorter one by the same port, so that a loss can only be the update's fault.
    """
    varied = measure.varied(f"{size} routes, updated", spread(regions, router.ports))
    load_pps = min(UPDATE_LOAD_PPS, line_rate_pps(FRAME_SIZE_BYTES, measure.used.speed_gbps))  # of one port, slow links
    result, changes = varied.while_changing(
        FRAME_SIZE_BYTES, load_pps, lambda: dut.churn_routes(UPDATES), UPDATE_PAUSE_S
    )
    assert changes > 0, "no route was updated while frames flowed"
    assert result.received_pps > 0, "nothing was forwarded"
    assert result.lost_frames == 0, f"{result.lost_frames} frames lost during {changes * UPDATES} updates"
    measure.run.record_value(
        test=measure.test,
        metric="routes updated without loss of a frame",
        value=changes * UPDATES / result.duration_s,
        unit="updates/s",
    )
    require_right_gateways()
