"""Several QGMs: frames cross the rings between them, keep their order, and are all accounted for."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from tests.image import boot_disk
from tests.image.frames import Link
from tests.image.machine import Machine
from tests.image.router import require_balance, start

PORTS = 8
QGMS = 4
FRAMES = 2000
BATCH = 100  # frames sent before any is awaited: less than a socket or a ring holds


def frame_between(source: Link, target: Link, number: int) -> bytes:
    """Return frame `number` of the flow from one link's tester to another's."""
    packet = IP(src=source.tester, dst=target.tester) / UDP(sport=1, dport=2) / Raw(number.to_bytes(18, "big"))
    return bytes(Ether(dst=source.router_mac, src=source.tester_mac) / packet)


LINKS = [Link(port) for port in range(PORTS)]
ADDRESSES = {link.port: link.router for link in LINKS}


def number_of(frame: bytes) -> int:
    """Return the number that frame_between was given."""
    return int.from_bytes(frame[42:60], "big")


def set_up(machine: Machine, qgms: int) -> None:
    """Deal the ports to QGMs in turn, address them, and start."""
    for link in LINKS:
        machine.ok(f"qgm add {1 + link.port % qgms} {link.port}")
        machine.ok(f"addr add {link.port} {link.router}/24")
        machine.ok(f"neigh add {link.port} {link.tester} {link.tester_mac}")
    start(machine, ADDRESSES)


@pytest.fixture(scope="module", params=["padded", "packed"])
def machine(request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    with boot_disk.booted(built / f"pix-{request.param}", folder, ports=PORTS, cores=1 + QGMS) as booted:
        set_up(booted, QGMS)
        yield booted


def exchange(machine: Machine, frames: int, seed: int) -> dict[tuple[int, int], list[int]]:
    """Send frames between random ports, and return the numbers that arrived on each way, in their order."""
    chance = random.Random(seed)
    ways = [(a, b) for a in LINKS for b in LINKS if a != b]
    sent = dict.fromkeys(((a.port, b.port) for a, b in ways), 0)
    seen: dict[tuple[int, int], list[int]] = {way: [] for way in sent}
    for _ in range(frames // BATCH):
        awaited = [0] * PORTS
        for _ in range(BATCH):
            source, target = chance.choice(ways)
            machine.send(source.port, frame_between(source, target, sent[source.port, target.port]))
            sent[source.port, target.port] += 1
            awaited[target.port] += 1
        for port, count in enumerate(awaited):
            for _ in range(count):
                frame = machine.receive(port)
                source_port = Ether(frame)[IP].src.split(".")[2]
                seen[int(source_port), port].append(number_of(frame))
    assert {way: len(numbers) for way, numbers in seen.items()} == sent
    return seen


def test_every_way_between_ports_works_and_keeps_its_order(machine: Machine) -> None:
    for numbers in exchange(machine, FRAMES, seed=1).values():
        assert numbers == list(range(len(numbers)))
    require_balance(machine)
    crossed = [c for c in machine.objects("counters") if c["scope"] == "qgm"]
    assert len(crossed) == QGMS
    assert all(qgm["ring_out"] and qgm["ring_in"] for qgm in crossed), "no frame crossed a ring"


def test_an_unknown_neighbour_of_another_qgm_is_resolved(machine: Machine) -> None:
    """The frame crosses the ring, waits at the keeper of the port, and leaves when the answer has come."""
    source, target = LINKS[0], LINKS[1]
    stranger, mac = f"10.0.{target.port}.77", "02:00:00:00:02:77"
    packet = IP(src=source.tester, dst=stranger) / UDP() / Raw(b"for a stranger, pad")
    machine.send(source.port, bytes(Ether(dst=source.router_mac, src=source.tester_mac) / packet))
    asked = Ether(machine.receive(target.port))
    assert (asked[ARP].op, asked[ARP].pdst) == (1, stranger)
    answer = ARP(op=2, hwsrc=mac, psrc=stranger, hwdst=target.router_mac, pdst=target.router)
    machine.send(target.port, bytes(Ether(dst=target.router_mac, src=mac) / answer))
    frame = Ether(machine.receive(target.port))
    assert (frame.dst, frame[IP].dst, frame[IP].ttl) == (mac, stranger, 63)
    require_balance(machine)


def test_an_icmp_error_crosses_back(machine: Machine) -> None:
    """A neighbour that never answers: its keeper tells the sender, behind a port of another QGM."""
    source, target = LINKS[2], LINKS[3]
    packet = IP(src=source.tester, dst=f"10.0.{target.port}.99") / UDP() / Raw(b"nobody is there, pad")
    machine.send(source.port, bytes(Ether(dst=source.router_mac, src=source.tester_mac) / packet))
    told = Ether(machine.receive(source.port, timeout_s=10.0))
    assert (told[IP].src, told[IP].dst, told["ICMP"].type, told["ICMP"].code) == (source.router, source.tester, 3, 1)
    while not machine.is_silent(target.port):
        machine.receive(target.port)  # the requests
    require_balance(machine)


def test_stop_and_start_with_other_owners(machine: Machine) -> None:
    """Frames keep their order with the ports dealt anew, a short ring and single frames a batch."""
    machine.ok("stop")
    start(machine, ADDRESSES)
    assert machine.command("set batch 1")[0].startswith("error: batch is set before the start")
    assert machine.command("qgm del 0")[0].startswith("error: queue pairs are given")
    machine.ok("stop")
    machine.ok("qgm del 0")
    assert machine.command("start") == ["error: port 0 has no QGM: qgm add CORE 0"]
    machine.ok("qgm add 3 0")
    assert machine.command("qgm add 2 0")[0].startswith("error: queue 0 of port 0 has QGM 3 already")
    machine.ok("set ring_length 128")
    machine.ok("set batch 1")
    start(machine, ADDRESSES)
    for numbers in exchange(machine, FRAMES // 4, seed=2).values():
        assert numbers == list(range(len(numbers)))
    require_balance(machine)
    machine.ok("stop")
    machine.ok("set batch 64")
    machine.ok("set ring_length 256")
    machine.ok("qgm del 0")
    machine.ok("qgm add 1 0")
    start(machine, ADDRESSES)


def test_routes_can_go_while_frames_cross(machine: Machine) -> None:
    """A next hop is used again only when no frame on its way bears it: none leaves by a wrong way."""
    source, first, second = LINKS[0], LINKS[1], LINKS[2]
    deadline = time.monotonic() + 3.0
    for turn in range(1000):
        via = (first, second)[turn % 2]
        machine.ok(f"route add 172.16.0.0/12 via {via.tester}")
        frame = IP(src=source.tester, dst="172.16.0.9") / UDP() / Raw(turn.to_bytes(18, "big"))
        machine.send(source.port, bytes(Ether(dst=source.router_mac, src=source.tester_mac) / frame))
        out = machine.receive(via.port)
        assert (Ether(out).dst, number_of(out)) == (via.tester_mac, turn)
        machine.ok("route del 172.16.0.0/12")
        if time.monotonic() > deadline:
            break
    require_balance(machine)
