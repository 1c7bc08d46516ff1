"""Neighbours: asked for, confirmed, forgotten; the router's own addresses announced and defended."""

from __future__ import annotations

import time
from collections.abc import Callable

from scapy.layers.inet import IP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from tests.image.router import (
    ARP_RETRY_MS,
    BROADCAST,
    LEFT,
    RIGHT,
    Router,
    Side,
    arp,
    datagram,
    is_announcement,
    is_icmp,
)

HELD_FRAMES = 4
REQUESTS = 3
ARP_AGE_S = 1
AGED_S = 10.0
"""Longer than a neighbour takes to be asked for the last time, on a slow machine."""
STEP_S = 0.05


def state_of(router: Router, address: str) -> str:
    """Return the state of a neighbour; ``free`` if it is not listed."""
    states = {neighbour["address"]: str(neighbour["state"]) for neighbour in router.machine.objects("neigh")}
    return states.get(address, "free")


def is_request(frame: Packet, side: Side, address: str, to: str) -> bool:
    """Return whether a frame asks one host, or everybody, on a side who has an address."""
    return (frame.dst, frame.src, frame[ARP].op, frame[ARP].psrc, frame[ARP].pdst) == (
        to,
        side.router_mac,
        1,
        side.router,
        address,
    )


def introduce(router: Router, side: Side, address: str, mac: str) -> None:
    """Have a host ask for the router's address, and take the answer."""
    router.send(arp(1, side, address, mac, side.router), side, to=BROADCAST)
    got = router.receive(side)
    assert (got.dst, got[ARP].op, got[ARP].hwsrc, got[ARP].psrc) == (mac, 2, side.router_mac, side.router)


def receive_packet(router: Router, side: Side) -> Packet:
    """Return the next frame that leaves towards a side and is no ARP message: requests may be repeated at any time."""
    while ARP in (frame := router.receive(side)):
        pass
    return frame


def take_requests(router: Router, side: Side) -> None:
    """Take the ARP requests that came while a host was slow to answer; fails on any other frame."""
    while not router.machine.is_silent(side.port):
        assert router.receive(side)[ARP].op == 1


def wait_until_state(router: Router, address: str, state: str) -> None:
    """Wait until a neighbour has a state; fails when it never gets it."""
    wait_until(router, lambda: state_of(router, address) == state)


def wait_until_consumed(router: Router, count: int) -> None:
    """Wait until the router has taken so many messages for itself; fails when it never has."""
    wait_until(router, lambda: router.machine.objects("counters")[-1]["consumed"] == count)


def wait_until(router: Router, is_so: Callable[[], bool]) -> None:
    """Let time pass, as frames leave that are taken later, until something is so; fails when it never is."""
    for _ in range(int(AGED_S / STEP_S)):
        if is_so():
            return
        router.machine.is_silent(RIGHT.port, STEP_S)
        time.sleep(STEP_S / 10)
    raise AssertionError(f"not so after {AGED_S} s")


def test_answers_arp_for_its_own_address_only(router: Router) -> None:
    introduce(router, LEFT, "10.0.0.77", "02:00:00:00:00:77")
    learned = {"port": 0, "address": "10.0.0.77", "state": "reachable", "mac": "02:00:00:00:00:77"}
    assert learned in router.machine.objects("neigh")
    router.send(arp(1, LEFT, "10.0.0.77", "02:00:00:00:00:77", "10.0.0.99"), to=BROADCAST)
    router.require_drops({"arp_not_for_us": 1})


def test_asks_for_an_unknown_neighbour_and_sends_what_waited_in_order(router: Router) -> None:
    for number in range(HELD_FRAMES + 1):
        router.send(datagram("10.0.1.88", id=number))
    assert is_request(router.receive(), RIGHT, "10.0.1.88", BROADCAST)
    router.send(arp(2, RIGHT, "10.0.1.88", "02:00:00:00:00:88", RIGHT.router), RIGHT)
    got = [receive_packet(router, RIGHT) for _ in range(HELD_FRAMES)]
    assert [frame[IP].id for frame in got] == list(range(HELD_FRAMES))
    assert {frame.dst for frame in got} == {"02:00:00:00:00:88"}
    router.require_drops({"neighbour_unresolved": 1})
    take_requests(router, RIGHT)


def test_asks_a_few_times_and_reports_a_neighbour_that_never_answers(router: Router) -> None:
    router.send(datagram("10.0.1.99"))
    for _ in range(REQUESTS):
        assert is_request(router.receive(), RIGHT, "10.0.1.99", BROADCAST)
    assert is_icmp(router.receive(LEFT), LEFT, 3, 1)
    router.machine.ok("set arp_retry_ms 5000")  # who has not answered is not asked again for four times as long
    router.send(datagram("10.0.1.99"))
    assert is_icmp(router.receive(LEFT), LEFT, 3, 1)
    router.require_drops({"neighbour_unreachable": 2})
    router.machine.ok(f"set arp_retry_ms {ARP_RETRY_MS}")


def test_keeps_a_neighbour_that_answers_when_it_is_old(router: Router) -> None:
    """It is asked by unicast, and traffic to it keeps flowing meanwhile."""
    host, mac = "10.0.1.66", "02:00:00:00:00:66"
    router.machine.ok("neigh flush")
    introduce(router, RIGHT, host, mac)
    router.machine.ok(f"set arp_age_s {ARP_AGE_S}")
    assert is_request(router.receive(timeout_s=AGED_S), RIGHT, host, mac)
    router.machine.ok("set arp_age_s 300")
    router.send(datagram(host))
    got = receive_packet(router, RIGHT)
    assert (got.dst, got[IP].dst) == (mac, host)
    router.send(arp(2, RIGHT, host, mac, RIGHT.router), RIGHT)
    wait_until_state(router, host, "reachable")
    take_requests(router, RIGHT)


def test_forgets_a_neighbour_that_no_longer_answers(router: Router) -> None:
    """After as many unicast requests as it sends broadcast ones; then it is asked for anew."""
    host, mac = "10.0.1.67", "02:00:00:00:00:67"
    router.machine.ok("neigh flush")
    introduce(router, RIGHT, host, mac)
    router.machine.ok(f"set arp_age_s {ARP_AGE_S}")
    for _ in range(REQUESTS):
        assert is_request(router.receive(timeout_s=AGED_S), RIGHT, host, mac)
    wait_until_state(router, host, "free")
    router.machine.ok("set arp_age_s 300")
    router.send(datagram(host))
    assert is_request(router.receive(), RIGHT, host, BROADCAST)
    new_mac = "02:00:00:00:01:67"
    router.send(arp(2, RIGHT, host, new_mac, RIGHT.router), RIGHT)
    assert receive_packet(router, RIGHT).dst == new_mac
    take_requests(router, RIGHT)


def test_a_static_neighbour_never_ages(router: Router) -> None:
    router.machine.ok("neigh flush")
    router.machine.ok(f"set arp_age_s {ARP_AGE_S}")
    assert router.machine.is_silent(RIGHT.port, ARP_AGE_S * 2.0)
    assert state_of(router, RIGHT.address) == "static"
    router.machine.ok("set arp_age_s 300")


def test_believes_an_announcement_of_a_neighbour_that_it_knows(router: Router) -> None:
    """And of no other: RFC 826 says who is added to the table."""
    introduce(router, LEFT, "10.0.0.55", "02:00:00:00:00:55")
    for address in ("10.0.0.55", "10.0.0.56"):
        router.send(arp(1, LEFT, address, "02:00:00:00:01:55", address), to=BROADCAST)
    wait_until_consumed(router, 2)
    router.send(datagram("10.0.0.55", RIGHT.address), RIGHT)
    assert router.receive(LEFT).dst == "02:00:00:00:01:55"
    assert state_of(router, "10.0.0.56") == "free"
    router.require_drops({})


def test_does_not_believe_who_claims_its_address_and_says_so(router: Router) -> None:
    before = router.machine.objects("ports")[LEFT.port]["address_conflicts"]
    for _ in range(2):
        router.send(arp(1, LEFT, LEFT.router, "02:00:00:00:00:66", LEFT.router), to=BROADCAST)
    router.require_drops({"arp_conflict": 2})
    assert is_announcement(router.receive(LEFT), LEFT.router)
    assert router.machine.is_silent(LEFT.port), "defended twice within ten seconds"
    assert router.machine.objects("ports")[LEFT.port]["address_conflicts"] == before + 2
    assert state_of(router, LEFT.router) == "free"


def test_announces_a_new_address_of_a_started_port(router: Router) -> None:
    for address in ("10.0.9.1", RIGHT.router):
        router.machine.ok(f"addr del {RIGHT.port}")
        router.machine.ok(f"addr add {RIGHT.port} {address}/24")
        assert [is_announcement(router.receive(), address) for _ in range(2)] == [True, True]
    router.machine.ok(f"route add 172.16.0.0/12 via {RIGHT.address}")


def test_invalid_messages_are_dropped(router: Router) -> None:
    good = Ether(src=LEFT.mac, dst=LEFT.router_mac) / arp(1, LEFT, "10.0.0.44", "02:00:00:00:00:44", LEFT.router)
    changes: list[tuple[str, int | str]] = [("hwtype", 6), ("ptype", 0x86DD), ("hwlen", 8), ("plen", 16), ("op", 3)]
    changes += [("hwsrc", "01:00:5e:00:00:01"), ("hwsrc", "00:00:00:00:00:00"), ("hwsrc", LEFT.router_mac)]
    for field, value in changes:
        bad = good.copy()
        built = bytearray(bytes(bad))
        bad[ARP].setfieldval(field, value)
        if field not in ("hwlen", "plen"):
            built = bytearray(bytes(bad))
        else:
            built[18 if field == "hwlen" else 19] = int(str(value))
        router.machine.send(LEFT.port, bytes(built))
    router.require_drops({"arp_invalid": len(changes)})
    assert state_of(router, "10.0.0.44") == "free"
