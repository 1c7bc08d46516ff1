"""The route file by PXE: what arrives, what is loaded, what is refused, and where packets go then."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP

from lab.routing.lpm import LongestPrefixMatch
from lab.routing.regions import Gateway, Region
from lab.routing.table import ROUTES, RouteTable, generate
from tests.image import boot_disk
from tests.image.machine import Machine
from tests.image.router import LEFT, RIGHT, Router, datagram

GATEWAYS = 8
LOOKUPS = 200
FRAMES = 40

SMALL = """# what a person may write
172.20.0.0/16 via 10.0.1.2   # a comment
\t172.20.1.0/24\tvia  10.0.0.2\r

172.20.1.128/25 via 10.0.1.77
172.20.1.129/32 via 10.9.9.9
"""


def beside(image: Path, folder: Path, routes: Path | str) -> Path:
    """Put a copy of the image and its route file into a folder; returns the copy."""
    copy = Path(shutil.copy(image, folder))
    served = folder / f"{image.name}.routes"
    if isinstance(routes, str):
        served.write_bytes(routes.encode())
    else:
        shutil.copy(routes, served)
    return copy


@pytest.fixture(scope="module")
def small(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("small")
    with Machine(beside(built / "pix-padded", folder, SMALL), folder) as machine:
        machine.ok("addr add 0 10.0.0.1/24")
        machine.ok("addr add 1 10.0.1.1/24")
        yield machine


def count(machine: Machine) -> int:
    return int(machine.objects("route count")[0]["routes"])


def test_the_file_arrives_beside_the_image(small: Machine, built: Path) -> None:
    """And asking for it changes nothing of the image before its digest is taken."""
    data = SMALL.encode()
    assert small.objects("route file") == [
        {"size_bytes": len(data), "lines": 6, "sha256": hashlib.sha256(data).hexdigest()}
    ]
    digest = json.loads((built / "pix-padded.manifest.json").read_text())["sha256"]
    assert small.objects("version")[0]["sha256"] == digest


def test_a_bad_line_is_one_line_and_leaves_nothing(small: Machine) -> None:
    before = count(small)
    assert small.command("route load") == ["error: route file line 6: the gateway is in no port's network"]
    assert count(small) == before
    assert small.command("route lookup 172.20.0.1") == ["error: there is no route to 172.20.0.1"]
    assert small.command("route churn 1") == ["error: route file: no route of the file is in the table: load it first"]


def test_the_first_routes_are_loaded_churned_and_cleared(small: Machine) -> None:
    before = count(small)
    assert small.objects("route load 3") == [{"routes": 3}]
    assert count(small) == before + 3
    ways = {"172.20.0.9": "10.0.1.2", "172.20.1.9": "10.0.0.2", "172.20.1.200": "10.0.1.77"}
    for address, gateway in ways.items():
        assert small.objects(f"route lookup {address}")[0]["via"] == gateway
    assert small.objects("route churn 10") == [{"routes": 10}]
    for address, gateway in ways.items():
        assert small.objects(f"route lookup {address}")[0]["via"] == gateway
    assert small.command("route load 1") == [
        "error: route file line 2: there is a route of this prefix: remove it first"
    ]
    small.ok("route clear")
    assert count(small) == before


def test_an_image_that_pxe_has_not_started_has_no_route_file(built: Path, tmp_path: Path) -> None:
    """It boots from a disk all the same, and is the file that lies there."""
    image = built / "pix-padded"
    with Machine(image, tmp_path, disk=boot_disk.make(image, tmp_path)) as machine:
        assert machine.objects("version")[0]["sha256"] == hashlib.sha256(image.read_bytes()).hexdigest()
        assert machine.command("route file") == [
            "error: there is no route file: the image was not started by a PXE boot ROM that gives files"
        ]


@pytest.fixture(scope="module")
def table() -> RouteTable:
    """A million routes; the gateways of the left side and of the right one lie behind the same port each."""
    sides = (("1.0.0.0", "126.255.255.255", "10.0.0"), ("128.0.0.0", "191.255.255.255", "10.0.1"))
    regions = [
        Region(
            port=port,
            cover="0.0.0.0/0",
            first=first,
            last=last,
            gateways=tuple(
                Gateway(address=f"{net}.{16 + i}", mac=f"02:67:00:00:{port:02x}:{i:02x}") for i in range(GATEWAYS)
            ),
        )
        for port, (first, last, net) in enumerate(sides)
    ]
    return generate(regions)


def test_a_million_routes_lead_where_they_should(
    built: Path, table: RouteTable, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Looked up one by one and by frames, while the router runs; afterwards nothing is left of them."""
    folder = tmp_path_factory.mktemp("large")
    table.write(folder / "routes")
    model, dice = table.model(ROUTES), random.Random(1)
    with Machine(beside(built / "pix-padded", folder, folder / "routes"), folder) as machine:
        router = Router(machine)
        before = count(machine)
        assert machine.objects("route file")[0]["lines"] == ROUTES
        assert machine.objects("route load") == [{"routes": ROUTES}]
        assert count(machine) == before + ROUTES
        for address in dice.sample(range(1 << 24, 192 << 24), LOOKUPS):
            found, text = model.lookup(address), ipaddress.IPv4Address(address)
            if found is None:
                assert machine.command(f"route lookup {text}") == [f"error: there is no route to {text}"]
            else:
                told = machine.objects(f"route lookup {text}")[0]
                assert (told["prefix"], told["via"]) == (f"{ipaddress.IPv4Address(found[0])}/{found[1]}", found[2])
        for side in (LEFT, RIGHT):
            for i in range(GATEWAYS):
                machine.ok(f"neigh add {side.port} 10.0.{side.port}.{16 + i} 02:67:00:00:0{side.port}:0{i}")
        require_frames_follow(router, table, model, dice)
        assert machine.objects("route churn 1000") == [{"routes": 1000}]
        require_frames_follow(router, table, model, dice)
        machine.ok("route clear")
        assert count(machine) == before - 1, "the router's own static route goes as well"


def require_frames_follow(router: Router, table: RouteTable, model: LongestPrefixMatch, dice: random.Random) -> None:
    """Send frames to destinations of the table from the side that they do not leave by; each goes to its gateway."""
    prefixes = [(prefix, length) for prefix, length, _ in table.routes(10_000)]
    for prefix, length in dice.sample(prefixes, FRAMES):
        address = prefix + dice.randrange(1 << (32 - length))
        found = model.lookup(address)
        assert found is not None
        out = LEFT if found[2].startswith("10.0.0.") else RIGHT
        source = RIGHT if out is LEFT else LEFT
        router.send(datagram(str(ipaddress.IPv4Address(address)), source=source.address), source)
        got = router.receive(out)
        assert got[IP].dst == str(ipaddress.IPv4Address(address))
        assert got.dst == f"02:67:00:00:0{out.port}:0{int(found[2].rsplit('.', 1)[1]) - 16}"
