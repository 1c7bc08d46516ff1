"""The neighbours of a port against a plain model: packets, answers, announcements and time in any order."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from tests.image.hosted import HostedMachine
from tests.image.neighbour_model import AGE_MS, BROADCAST, RETRY_MS, TICK_MS, Model, Request, table_set
from tests.image.router import Side, arp, require_balance, start

LEFT = Side(0, "52:54:00:00:00:01", "10.0.0.1", "02:00:00:00:00:10", "10.0.0.2")
RIGHT = Side(1, "52:54:00:00:00:02", "10.9.0.1", "02:00:00:00:00:11", "10.9.0.2")
SCAN_MS = 2 * 16 * TICK_MS
"""Two ports with tables of 128 sets, of which the router looks at eight each tick (qgm/arp_state.c)."""

# More addresses in one set of the table than it has ways, and two elsewhere.
HOSTS = (f"10.9.{i // 250}.{i % 250 + 3}" for i in range(5000))
RIVALS = [host for host in HOSTS if table_set(host) == 5][:10]
ADDRESSES = [*RIVALS, "10.9.0.250", "10.9.0.251"]
MACS = [f"02:00:00:00:09:{i:02x}" for i in range(3)]

address = st.sampled_from(ADDRESSES)
mac = st.sampled_from(MACS)
events = st.one_of(
    st.tuples(st.just("packet"), address),
    st.tuples(st.just("answer"), address, mac),
    st.tuples(st.just("announcement"), address, mac),
    st.tuples(st.just("static"), st.sampled_from(ADDRESSES[-2:]), mac),
    st.tuples(st.just("flush")),
)
pauses = st.sampled_from([0, 0, 0, TICK_MS, RETRY_MS, 3 * RETRY_MS, AGE_MS, AGE_MS + 8 * RETRY_MS])
TURNS = 4  # enough for a frame that has come to have left


@dataclass
class Seen:
    """What has left the router: requests, frames by number and link address, frames that an error told of."""

    requests: list[Request] = field(default_factory=list)
    sent: list[tuple[int, str]] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


def look(machine: HostedMachine) -> Seen:
    """Return what has left, sorted out."""
    seen = Seen()
    machine.turn([1] * TURNS)
    left, right = machine.left()
    for frame in (Ether(raw) for raw in right):
        if ARP in frame:
            seen.requests.append(Request(frame[ARP].pdst, frame.dst))
        else:
            seen.sent.append((frame[IP].id, frame.dst))
    for frame in (Ether(raw) for raw in left):
        assert (frame[ICMP].type, frame[ICMP].code) == (3, 1)
        seen.refused.append(IP(bytes(frame[ICMP].payload)).id)
    return seen


def play(machine: HostedMachine, model: Model, number: int, event: tuple[str, ...]) -> None:
    """Let an event happen, and hold what the router does against the model."""
    kind, rest = event[0], event[1:]
    expected: list[tuple[int, str]] = []
    if kind == "packet":
        packet = IP(src=LEFT.address, dst=rest[0], id=number) / UDP() / Raw(b"some payload of a frame")
        machine.send(LEFT.port, bytes(Ether(dst=LEFT.router_mac, src=LEFT.mac) / packet))
        seen = look(machine)
        what = model.send(rest[0], number)
        if what == "unsure":
            what = "refused" if seen.refused else "asked"
            if what == "asked":
                model.now_ms += TICK_MS * 3
                assert model.send(rest[0], number) == "asked"
                model.now_ms -= TICK_MS * 3
                model.entry(rest[0]).since_ms = model.now_ms
        entry = model.entry(rest[0])
        assert seen.sent == ([(number, entry.mac)] if what == "sent" else [])
        assert seen.requests == ([Request(rest[0], BROADCAST)] if what == "asked" else [])
        assert seen.refused == ([number] if what == "refused" else [])
        return
    if kind in ("answer", "announcement"):
        to_us = kind == "answer"
        message = arp(2 if to_us else 1, RIGHT, rest[0], rest[1], RIGHT.router if to_us else rest[0])
        machine.send(RIGHT.port, bytes(Ether(dst=RIGHT.router_mac if to_us else BROADCAST, src=rest[1]) / message))
        expected = [(waited, rest[1]) for waited in model.hear(rest[0], rest[1], to_us=to_us)]
    elif kind == "static":
        expected = [(waited, rest[1]) for waited in model.fix(rest[0], rest[1])]
        machine.ok(f"neigh add {RIGHT.port} {rest[0]} {rest[1]}")
    else:
        held = [waited for entry in model.table.values() for waited in entry.held]
        model.flush()
        machine.ok("neigh flush")
        seen = look(machine)
        assert sorted(seen.refused) == sorted(held)
        assert not seen.requests
        assert not seen.sent
        return
    seen = look(machine)
    assert seen.sent == expected
    assert not seen.requests
    assert not seen.refused


def wait(machine: HostedMachine, model: Model, duration_ms: int) -> None:
    """Let time pass, tick by tick."""
    for _ in range(duration_ms // TICK_MS):
        machine.advance(TICK_MS / 1000)
        model.now_ms += TICK_MS
        seen = look(machine)
        assert not seen.sent
        for request in seen.requests:
            model.asked(request)
        model.unreachable(seen.refused)


def listed(machine: HostedMachine) -> dict[str, tuple[str, str | None]]:
    """Return the neighbours of the right side as the router lists them."""
    found = [entry for entry in machine.objects("neigh") if entry["port"] == RIGHT.port]
    return {entry["address"]: (entry["state"], entry["mac"]) for entry in found}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(events, pauses), max_size=16))
def test_neighbours_follow_the_model(
    hosted_programs: dict[str, Path], history: list[tuple[tuple[str, ...], int]]
) -> None:
    with HostedMachine(hosted_programs["padded"]) as machine:
        machine.ok(f"addr add 0 {LEFT.router}/24")
        machine.ok(f"addr add 1 {RIGHT.router}/16")
        machine.ok(f"neigh add 0 {LEFT.address} {LEFT.mac}")
        machine.ok("set icmp_rate_pps 1000000")
        machine.ok(f"set arp_age_s {AGE_MS // 1000}")
        start(machine, {0: LEFT.router, 1: RIGHT.router})
        model = Model(SCAN_MS)
        for number, (event, pause_ms) in enumerate(history, 1):
            play(machine, model, number, event)
            model.agree(listed(machine))
            wait(machine, model, pause_ms)
            model.agree(listed(machine))
        require_balance(machine)
