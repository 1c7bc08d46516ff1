"""Tables in the shape of the public one: distinct, in place, the same for a seed, and every beginning a fair sample."""

from __future__ import annotations

import ipaddress
import itertools
from pathlib import Path

import numpy as np
import pytest

from lab.errors import UsageError
from lab.routing.regions import Region, regions
from lab.routing.table import SHARES_PPM, RouteTable, generate
from lab.testbed.ports import Port


def ports(count: int, mac: int, host: int, bits: int = 24) -> list[Port]:
    return [
        Port(
            name=f"p{i}",
            mac=f"02:00:00:00:{mac:02x}:{i:02x}",
            address=ipaddress.IPv4Interface(f"198.18.{i}.{host}/{bits}"),
            speed_gbps=10,
            nic="virtio-net",
        )
        for i in range(count)
    ]


def regions_of(count: int, bits: int = 24) -> tuple[Region, ...]:
    return regions(ports(count, 0, 1, bits), ports(count, 1, 2, bits))


@pytest.fixture(scope="module")
def table() -> RouteTable:
    return generate(regions_of(2), 200_000)


def test_shares_are_whole() -> None:
    assert sum(SHARES_PPM.values()) == 1_000_000


@pytest.mark.parametrize("count", range(2, 9))
def test_regions_do_not_overlap_and_lie_inside_their_covers(count: int) -> None:
    found = regions_of(count)
    spans = sorted((int(ipaddress.IPv4Address(r.first)), int(ipaddress.IPv4Address(r.last))) for r in found)
    assert all(first <= last for first, last in spans)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))
    for region in found:
        cover = ipaddress.IPv4Network(region.cover)
        assert ipaddress.IPv4Address(region.first) in cover
        assert ipaddress.IPv4Address(region.last) in cover
    covers = [ipaddress.IPv4Network(region.cover) for region in found]
    assert not any(a.overlaps(b) for i, a in enumerate(covers) for b in covers[:i])
    assert len({gateway.mac for region in found for gateway in region.gateways}) == 16 * count


def test_a_network_of_two_hosts_has_one_gateway() -> None:
    assert [len(region.gateways) for region in regions_of(2, bits=30)] == [1, 1]


def test_routes_are_distinct_prefixes_in_the_region_of_their_gateway(table: RouteTable) -> None:
    assert len({(prefix, length) for prefix, length, _ in table.routes(200_000)}) == 200_000
    for region in regions_of(2):
        gateways = {gateway.address for gateway in region.gateways}
        first, last = int(ipaddress.IPv4Address(region.first)), int(ipaddress.IPv4Address(region.last))
        mine = [(prefix, length, way) for prefix, length, way in table.routes(5000) if first <= prefix <= last]
        assert {way for _, _, way in mine} == gateways
        for prefix, length, _ in mine:
            assert prefix % (1 << (32 - length)) == 0
            assert prefix + (1 << (32 - length)) - 1 <= last


def test_private_networks_are_left_out(table: RouteTable) -> None:
    special = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "127.0.0.0/8")]
    for prefix, length, _ in table.routes(20_000):
        assert not any(ipaddress.IPv4Network((prefix, length)).overlaps(network) for network in special)


@pytest.mark.parametrize("count", [20_000, 200_000])
def test_every_beginning_has_the_shape_of_the_whole(table: RouteTable, count: int) -> None:
    """Within five standard deviations of a fair draw."""
    found = np.bincount(table.lengths[:count], minlength=33)
    for length, share in SHARES_PPM.items():
        expected = count * share / 1e6
        assert abs(found[length] - expected) <= 5 * expected**0.5 + 1, length


def test_the_seed_decides(table: RouteTable) -> None:
    def first(seed: int) -> list[tuple[int, int, str]]:
        return list(generate(regions_of(2), 2000, seed).routes(2000))

    assert first(7) == first(7)
    assert first(7) != first(8)


def test_the_file_has_a_line_for_each_route(table: RouteTable, tmp_path: Path) -> None:
    table.write(tmp_path / "routes")
    lines = (tmp_path / "routes").read_text().splitlines()
    assert len(lines) == 200_000
    for line, (prefix, length, gateway) in zip(lines, table.routes(1000), strict=False):
        assert line == f"{ipaddress.IPv4Address(prefix)}/{length} via {gateway}"


def test_too_many_routes_are_refused_in_one_line() -> None:
    small = Region(
        port=0, cover="16.0.0.0/16", first="16.0.0.0", last="16.0.255.255", gateways=regions_of(2)[0].gateways
    )
    with pytest.raises(UsageError, match=r"no room for \d+ prefixes of length"):
        generate([small], 1000)
