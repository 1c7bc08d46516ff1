"""QGMs on threads of their own: frames cross the rings for real, keep their order, and are all accounted for."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.image import hostlib
from tests.image.frames import LINKS, Datagram, source_port
from tests.image.hosted import HostedMachine
from tests.image.malformed import malformed, templates
from tests.image.router import require_balance

SETTLE_S = 30.0
FRAMES = 3000  # of each flow
MALFORMED = 5000
SIZE = 10
NUMBER_OFFSET = 14 + 20 + 8 + 4  # in a datagram without options
IPV4 = b"\x08\x00"
NUMBER_END = NUMBER_OFFSET + 4
WAYS = [(source, target) for source in LINKS for target in LINKS]


def lost_frames(machine: HostedMachine) -> int:
    """Return how many frames were dropped because a ring or a queue was full."""
    ports = [counters for counters in machine.objects("counters") if counters["scope"] == "port"]
    return sum(port["drops"]["ring_full"] + port["drops"]["tx_queue_full"] for port in ports)


def set_up(machine: HostedMachine, qgms: int, ring_length: int) -> None:
    """Deal the ports to QGMs in turn, and start."""
    for link in LINKS:
        machine.ok(f"qgm add {1 + link.port % qgms} {link.port}")
        machine.ok(f"addr add {link.port} {link.router}/24")
        machine.ok(f"neigh add {link.port} {link.tester} {link.tester_mac}")
    machine.ok(f"set ring_length {ring_length}")
    machine.ok("start")


def exchange(machine: HostedMachine, frames: int) -> list[list[bytes]]:
    """Send so many numbered frames from each port to each, and return what left each port when all is at rest."""
    flows = [Datagram(source, target, -1, 64, b"", SIZE) for source, target in WAYS]
    machine.pour([(flow.source.port, flow.frame(0)) for flow in flows], NUMBER_OFFSET, frames)
    left: list[list[bytes]] = [[] for _ in LINKS]
    deadline = time.monotonic() + SETTLE_S
    while (lost := lost_frames(machine)) + sum(map(len, left)) != len(WAYS) * frames:
        assert time.monotonic() < deadline, f"{lost} frames lost, {list(map(len, left))} received"
        for known, more in zip(left, machine.left(), strict=True):
            known.extend(frame for frame in more if frame[12:14] == IPV4)  # ports announce themselves, too
    return left


@pytest.mark.parametrize("layout", ["padded", "packed"])
@pytest.mark.parametrize(("qgms", "ring_length"), [(2, 256), (3, 16), (4, 2)])
def test_every_flow_keeps_its_order(hosted_programs: dict[str, Path], layout: str, qgms: int, ring_length: int) -> None:
    """From each port to each other; rings that are too short lose frames, and count them."""
    with HostedMachine(hosted_programs[layout], cores=1 + qgms, ports=len(LINKS), threads=True) as machine:
        set_up(machine, qgms, ring_length)
        left = exchange(machine, FRAMES)
        ports = require_balance(machine)
        assert [port["rx_packets"] for port in ports] == [len(LINKS) * FRAMES] * len(LINKS)
        for source, target in WAYS:
            got = [frame for frame in left[target.port] if source_port(frame) == source.port]
            numbers = [int.from_bytes(frame[NUMBER_OFFSET:NUMBER_END], "big") for frame in got]
            assert numbers == sorted(set(numbers)), f"port {source.port} to {target.port}: out of order or twice"
            expected = Datagram(source, target, -1, 64, b"", SIZE).forwarded(0)
            for frame in got:
                assert frame[:NUMBER_OFFSET] + frame[NUMBER_END:] == expected[:NUMBER_OFFSET] + expected[NUMBER_END:]
        machine.ok("stop")


def test_only_counters_are_read_while_they_are_written(tmp_path: Path) -> None:
    """The thread sanitizer sees every word that two QGMs, or a QGM and a card, use without an order between them."""
    program = tmp_path / "router-race-packed"
    hostlib.build(tmp_path, str(program))
    with HostedMachine(program, cores=4, ports=len(LINKS), threads=True) as machine:
        set_up(machine, qgms=3, ring_length=16)
        assert any(exchange(machine, FRAMES // 10))
        chance, right = random.Random(1), [templates(link) for link in LINKS]
        for number in range(MALFORMED):
            port = number % len(LINKS)
            while not machine.send(port, malformed(chance, right[port])):
                machine.left()
        machine.ok("stop")
        require_balance(machine)
