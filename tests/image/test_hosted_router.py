"""Any frames, to QGMs that take turns in any order: nothing is touched that must not be, and all is accounted for.

Cards give descriptors back in any order. What leaves has to be right by itself; what is forwarded has to be what came.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.image.frames import LINKS, Datagram, any_frame, ones_complement_sum, source_port
from tests.image.hosted import HostedMachine
from tests.image.router import require_balance

PORTS = len(LINKS)
MTU_FRAME = 1514
QUEUE_LENGTH = 4
RING_LENGTH = 8


@pytest.fixture(scope="module", params=["padded 1", "packed 2", "padded 3", "packed 4"])
def machine(request: pytest.FixtureRequest, hosted_programs: dict[str, Path]) -> Iterator[HostedMachine]:
    """One to four QGMs, with queues and rings so short that they fill up."""
    layout, qgms = request.param.split()
    with HostedMachine(hosted_programs[layout], cores=1 + int(qgms), ports=PORTS, queue_length=QUEUE_LENGTH) as started:
        for link in LINKS:
            started.ok(f"qgm add {1 + link.port % int(qgms)} {link.port}")
            started.ok(f"addr add {link.port} {link.router}/24")
            started.ok(f"neigh add {link.port} {link.tester} {link.tester_mac}")
            started.ok(f"route add {link.far_network} via {link.tester}")
        started.ok(f"set ring_length {RING_LENGTH}")
        started.ok("start")
        yield started


def run(machine: HostedMachine, arrivals: list[tuple[int, bytes]], seed: int) -> list[list[bytes]]:
    """Let frames arrive between random turns, in a card that shuffles; return what has left when all is at rest."""
    chance = random.Random(seed)
    qgms = [counters["qgm"] for counters in machine.objects("counters") if counters["scope"] == "qgm"]
    machine.shuffle(seed)
    for port, frame in arrivals:
        while not machine.send(port, frame):
            machine.turn([chance.choice(qgms)])
        machine.turn([chance.choice(qgms) for _ in range(chance.choice([0, 0, 0, 0, 0, 1, 5]))])
        machine.advance(chance.choice([0.0, 0.0, 0.0, 0.02, 1.0]))
    machine.settle(chance)
    return machine.left()


def require_sound(port: int, frame: bytes) -> None:
    """Fail unless a frame that left a port is one that a router may send."""
    assert 34 <= len(frame) <= MTU_FRAME
    assert frame[6:12] == bytes.fromhex(LINKS[port].router_mac.replace(":", ""))
    if frame[12:14] == b"\x08\x06":
        assert frame[14:20] == bytes.fromhex("000108000604")
        assert not any(frame[42:]), "the padding is what lay there"
        return
    assert frame[12:14] == b"\x08\x00"
    assert not frame[0] & 1, "an IPv4 packet to a link-layer group"
    header = (frame[14] & 15) * 4
    (total,) = struct.unpack_from(">H", frame, 16)
    assert frame[14] >> 4 == 4
    assert 20 <= header <= total <= len(frame) - 14
    assert ones_complement_sum(frame[14 : 14 + header]) == 0xFFFF
    assert frame[22] >= 1
    assert frame[30] not in (0, 127)
    assert frame[30] < 224


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, PORTS - 1), any_frame()), max_size=50), st.integers(0, 2**32))
def test_any_frames_are_accounted_for(machine: HostedMachine, arrivals: list[tuple[int, bytes]], seed: int) -> None:
    machine.ok("counters clear")
    machine.ok("set mtu 3 300")  # fragments
    for port, frames in enumerate(run(machine, arrivals, seed)):
        for frame in frames:
            require_sound(port, frame)
    assert sum(counters.get("rx_packets", 0) for counters in machine.objects("counters")) == len(arrivals)
    if seed % 2:
        machine.ok("neigh flush")  # while frames wait
    machine.rest()
    machine.left()
    require_balance(machine)
    assert machine.lost_buffers() == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(Datagram.strategy(), max_size=60), st.integers(0, 2**32))
def test_datagrams_leave_as_they_came_and_in_order(
    machine: HostedMachine, datagrams: list[Datagram], seed: int
) -> None:
    """All bytes but addresses of the link, TTL and checksum; the order on each way from port to port."""
    machine.ok("set mtu 3 1500")
    expected: dict[tuple[int, int], list[bytes]] = {}
    arrivals = []
    for number, datagram in enumerate(datagrams):
        arrivals.append((datagram.source.port, datagram.frame(number)))
        expected.setdefault((datagram.source.port, datagram.target.port), []).append(datagram.forwarded(number))
    left = run(machine, arrivals, seed)
    drops = [counters["drops"] for counters in machine.objects("counters")]
    were_full = any(reasons["ring_full"] or reasons["tx_queue_full"] for reasons in drops)
    for (source, target), frames in expected.items():
        got = [frame for frame in left[target] if source_port(frame) == source]
        if were_full:
            remaining = iter(frames)
            assert all(frame in remaining for frame in got), "a frame was changed, made twice or has overtaken"
        else:
            assert got == frames
    packets = [frame for frames in left for frame in frames if frame[12:14] == b"\x08\x00"]
    assert len(packets) <= len(datagrams)
    machine.ok("counters clear")
    require_balance(machine)
    assert machine.lost_buffers() == 0
