"""Route files of any content, read by the shell under the sanitizers: all their routes, or one line why not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.routing.lpm import LongestPrefixMatch, prefix_mask
from tests.image.hosted import HostedMachine

NO_ROUTE = "this is no route like 10.1.0.0/16 via 10.0.0.2"
GATEWAYS = ("10.0.0.2", "10.0.0.77", "10.0.1.2", "10.0.1.254")
BAD = {
    b"172.16.0.0/12": NO_ROUTE,
    b"172.16.0.0/12 via": NO_ROUTE,
    b"172.16.0.0/12 over 10.0.1.2": NO_ROUTE,
    b"172.16.0.0/12 via 10.0.1.2 10.0.1.3": NO_ROUTE,
    b"172.16.0.0/12 via 10.0.1.256": NO_ROUTE,
    b"172.16.0.0/33 via 10.0.1.2": NO_ROUTE,
    b"172.16.0/12 via 10.0.1.2": NO_ROUTE,
    b"172.16.0.0/12 via 10.0.1.2\0": NO_ROUTE,
    b"\0": NO_ROUTE,
    b"via via via": NO_ROUTE,
    b"172.16.0.0/12 via 10.0.1.2 " + b" " * 80 + b"x": NO_ROUTE,
    b"1" * 5000: NO_ROUTE,
    b"\xff\xfe": NO_ROUTE,
    b"172.16.0.1/12 via 10.0.1.2": "the prefix has bits set behind its length",
    b"172.16.0.0/12 via 10.0.1.1": "the gateway is one of our own addresses",
    b"172.16.0.0/12 via 10.0.2.1": "the gateway is in no port's network",
    b"10.0.0.0/24 via 10.0.1.2": "there is a route of this prefix: remove it first",
}


@dataclass(frozen=True)
class Line:
    """A line of a route file and what it is: a route, or nothing."""

    text: bytes
    route: tuple[int, int, str] | None = None


spaces = st.sampled_from([b" ", b"  ", b"\t", b" \t "])
tails = st.sampled_from([b"", b" ", b"\r", b"# comment", b" # 1.2.3.4/5 via 6.7.8.9", b"#" * 300, b"\t#\0"])
prefixes = st.tuples(st.sampled_from([11 << 24, 172 << 24, 0xAC101010, 0xC0FFFFFF]), st.integers(8, 32)).map(
    lambda pair: (pair[0] & prefix_mask(pair[1]), pair[1])
)
routes = st.builds(
    lambda prefix, via, a, b, c, tail: Line(
        (a if a != b" " else b"")
        + f"{IPv4Address(prefix[0])}/{prefix[1]}".encode() + b + b"via" + c + via.encode() + tail,
        (*prefix, via),
    ),
    prefixes, st.sampled_from(GATEWAYS), spaces, spaces, spaces, tails,
)  # fmt: skip
files = st.tuples(
    st.lists(st.one_of(routes, st.builds(Line, tails)), max_size=12, unique_by=lambda line: line.route or id(line)),
    st.booleans(),
)


@pytest.fixture(scope="module")
def machine(hosted_programs: dict[str, Path]) -> Iterator[HostedMachine]:
    with HostedMachine(hosted_programs["padded"]) as started:
        started.ok("addr add 0 10.0.0.1/24")
        started.ok("addr add 1 10.0.1.1/24")
        yield started


def own(machine: HostedMachine) -> int:
    return int(machine.objects("route count")[0]["routes"])


def unique(lines: list[Line]) -> list[Line]:
    """Leave out routes of a prefix that a line before has."""
    seen: set[tuple[int, int]] = set()
    kept = []
    for line in lines:
        key = line.route[:2] if line.route else None
        if key is None or key not in seen:
            kept.append(line)
        if key:
            seen.add(key)
    return kept


def written(lines: list[bytes], ends: bool) -> bytes:
    return b"\n".join(lines) + (b"\n" if ends else b"") or b"\n"


@settings(max_examples=60, deadline=None)
@given(files)
def test_every_route_of_a_good_file_is_added(machine: HostedMachine, file: tuple[list[Line], bool]) -> None:
    lines, ends = unique(file[0]), file[1]
    good = [line.route for line in lines if line.route]
    machine.ok("route clear")
    before = own(machine)
    machine.take_route_file(written([line.text for line in lines], ends))
    assert machine.objects("route load") == [{"routes": len(good)}]
    model = LongestPrefixMatch(good)
    for prefix, length, _ in good:
        for address in (prefix, prefix + (1 << (32 - length)) - 1):
            found = model.lookup(address)
            told = machine.objects(f"route lookup {IPv4Address(address)}")
            assert found
            assert told[0]["via"] == found[2]
    if good:
        assert machine.objects("route churn 30") == [{"routes": 30}]
        assert own(machine) == before + len(good)
    machine.ok("route clear")
    assert own(machine) == before


@settings(max_examples=60, deadline=None)
@given(files, st.sampled_from(sorted(BAD)), st.integers(0, 12))
def test_a_bad_line_is_told_with_its_number_and_leaves_nothing(
    machine: HostedMachine, file: tuple[list[Line], bool], bad: bytes, place: int
) -> None:
    lines = [line.text for line in unique(file[0])]
    place = min(place, len(lines))
    lines.insert(place, bad)
    machine.ok("route clear")
    before = own(machine)
    machine.take_route_file(written(lines, file[1]))
    assert machine.command("route load") == [f"error: route file line {place + 1}: {BAD[bad]}"]
    assert own(machine) == before


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=3000))
def test_any_bytes_are_answered_with_one_line(machine: HostedMachine, text: bytes) -> None:
    machine.ok("route clear")
    before = own(machine)
    machine.take_route_file(text)
    (said,) = machine.command("route load")
    assert said == "ok" or said.startswith("error: route file line ")
    assert own(machine) == before, "random bytes hold no route"


def test_changed_bytes_of_a_good_file_are_answered_with_one_line(machine: HostedMachine) -> None:
    dice = random.Random(1)
    good = b"".join(b"172.%d.%d.0/24 via 10.0.%d.9\n" % (16 + i // 8, i, i % 2) for i in range(60))
    machine.ok("route clear")
    before = own(machine)
    for _ in range(100):
        text = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            text[dice.randrange(len(text))] = dice.choice(b"0123456789./ #\n\0\xffv")
        machine.take_route_file(bytes(text))
        (said,) = machine.command("route load")
        assert said == "ok" or said.startswith("error: route file line ")
        if said == "ok":
            machine.ok("route clear")
        assert own(machine) == before
