"""A booted machine as a router between two networks, with a tester on each side."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from tests.image.machine import RouterMachine

SETTLE_S = 5.0
BROADCAST = "ff:ff:ff:ff:ff:ff"


@dataclass(frozen=True)
class Side:
    """One port of the router, and the tester that is its neighbour."""

    port: int
    router_mac: str
    router: str
    mac: str
    address: str

    @property
    def prefix(self) -> str:
        """The router's address as `addr add` takes it."""
        return f"{self.router}/24"


LEFT = Side(0, "52:54:00:00:00:01", "10.0.0.1", "02:00:00:00:00:10", "10.0.0.2")
RIGHT = Side(1, "52:54:00:00:00:02", "10.0.1.1", "02:00:00:00:00:11", "10.0.1.2")
FAR = "172.16.0.0/12"
FAR_HOST = "172.20.1.2"
ARP_RETRY_MS = 100
"""Patience of the router under test: a tenth of the default, so that tests of what nobody answers take no longer."""
ANNOUNCEMENTS = 2


class Router:
    """The machine set up: addresses, static neighbours on both sides, a route to FAR by the right side."""

    def __init__(self, machine: RouterMachine) -> None:
        """Configure and start it."""
        self.machine = machine
        self._received = 0
        for side in (LEFT, RIGHT):
            machine.ok(f"addr add {side.port} {side.prefix}")
            machine.ok(f"neigh add {side.port} {side.address} {side.mac}")
        machine.ok(f"route add {FAR} via {RIGHT.address}")
        self.start()

    def start(self) -> None:
        """Start it, and take the announcements of its addresses (RFC 5227 2.3), which come from every port."""
        self._received += start(self.machine, {side.port: side.router for side in (LEFT, RIGHT)})

    def send(self, packet: Packet, side: Side = LEFT, to: str | None = None, size: int = 0) -> bytes:
        """Have a packet arrive from a side's tester, at least size bytes long; returns the frame."""
        frame = bytes(Ether(dst=to or side.router_mac, src=side.mac) / packet).ljust(size, b"\0")
        self.machine.send(side.port, frame)
        return frame

    def receive(self, side: Side = RIGHT, timeout_s: float = 5.0) -> Packet:
        """Return the next frame that left towards a side, decoded."""
        frame = self.machine.receive(side.port, timeout_s)
        self._received += 1
        return Ether(frame)

    def clear(self) -> None:
        """Begin to count anew."""
        self.machine.ok("counters clear")
        self._received = 0

    def require_drops(self, expected: dict[str, int]) -> None:
        """Wait until the drops of all ports, by reason and without zeros, are these; fails when they never are."""
        deadline = time.monotonic() + SETTLE_S
        while (found := self._drops()) != expected:
            assert time.monotonic() < deadline, f"dropped {found}, expected {expected}"
            time.sleep(0.02)

    def _drops(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for counters in self.machine.objects("counters"):
            for reason, count in counters["drops"].items() if counters["scope"] == "port" else ():
                if count:
                    total[reason] = total.get(reason, 0) + count
        return total

    def require_balance(self) -> None:
        """Every frame that came in or was made was sent, dropped, consumed or is held; what was sent was received."""
        ports = require_balance(self.machine)
        assert sum(port["tx_packets"] for port in ports) == self._received, "frames left that nobody expected"


def require_balance(machine: RouterMachine) -> list[dict[str, Any]]:
    """Fail unless the counters of a machine at rest add up, by port and by QGM; return those of the ports."""
    counters = machine.objects("counters")
    ports = [c for c in counters if c["scope"] == "port"]
    qgms = [c for c in counters if c["scope"] == "qgm"]
    drops = [sum(sum(scope["drops"].values()) for scope in scopes) for scopes in (ports, qgms)]
    came = sum(port["rx_packets"] for port in ports) + sum(qgm["originated"] for qgm in qgms)
    went = sum(port["tx_packets"] for port in ports) + drops[0] + sum(qgm["consumed"] + qgm["held"] for qgm in qgms)
    assert came == went, counters
    assert drops[0] == drops[1], counters
    assert sum(qgm["ring_in"] for qgm in qgms) == sum(qgm["ring_out"] for qgm in qgms), counters
    _require_tally(machine.objects("tally"), ports, qgms)
    return ports


def _require_tally(told: list[dict[str, Any]], ports: list[dict[str, Any]], qgms: list[dict[str, Any]]) -> None:
    """Fail unless the short listing tells the same as the long one."""
    (tally,) = told
    assert [(port["rx"], port["tx"]) for port in tally["ports"]] == [
        (port["rx_packets"], port["tx_packets"]) for port in ports
    ]
    for short, port in zip(tally["ports"], ports, strict=True):
        assert short["drops"] == {reason: count for reason, count in port["drops"].items() if count}
    for name in ("originated", "consumed", "held"):
        assert tally[name] == sum(qgm[name] for qgm in qgms)


def datagram(
    destination: str = FAR_HOST, source: str = LEFT.address, payload: bytes = b"payload of a frame", **fields: object
) -> Packet:
    """Return an IPv4 packet with UDP."""
    return IP(src=source, dst=destination, **fields) / UDP(sport=1000, dport=2000) / Raw(payload)


def arp(operation: int, side: Side, address: str, mac: str, target: str) -> Packet:
    """Return an ARP packet of a tester on a side who has this address."""
    target_mac = side.router_mac if operation == 2 else "00:00:00:00:00:00"
    return ARP(op=operation, hwsrc=mac, psrc=address, hwdst=target_mac, pdst=target)


def start(machine: RouterMachine, addresses: dict[int, str]) -> int:
    """Start a machine whose ports have these addresses; return how many announcements (RFC 5227 2.3) it took."""
    machine.ok(f"set arp_retry_ms {ARP_RETRY_MS}")
    machine.ok("start")
    for port, address in addresses.items():
        for _ in range(ANNOUNCEMENTS):
            assert is_announcement(Ether(machine.receive(port)), address)
    return ANNOUNCEMENTS * len(addresses)


def is_announcement(frame: Packet, address: str) -> bool:
    """Return whether a frame tells everybody that its sender has an address."""
    if ARP not in frame:
        return False
    told = frame[ARP]
    return (frame.dst, told.op, told.hwsrc, told.psrc, told.pdst) == (BROADCAST, 1, frame.src, address, address)


def is_icmp(frame: Packet, side: Side, kind: int, code: int) -> bool:
    """Return whether a frame is an ICMP message from the router to the tester of a side, with right checksums."""
    again = Ether(bytes(frame))
    sums = (again[IP].chksum, again[ICMP].chksum)
    del again[IP].chksum, again[ICMP].chksum
    again = Ether(bytes(again))
    assert (again[IP].chksum, again[ICMP].chksum) == sums
    return (frame.dst, frame.src, frame[IP].src, frame[IP].dst, frame[ICMP].type, frame[ICMP].code) == (
        side.mac,
        side.router_mac,
        side.router,
        side.address,
        kind,
        code,
    )
