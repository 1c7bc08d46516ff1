"""Malformed frames into a booted machine: ``python -m tests.image.malformed IMAGE FRAMES [SEED]``.

Half of them are right in all but a few bytes, so that they come past the first check. The sockets hold frames back when
the machine has no room, so that each one arrives; what the machine sends is taken off and counted.
"""

from __future__ import annotations

import random
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.image.frames import LINKS, Datagram, Link, mac, packet
from tests.image.machine import Machine
from tests.image.router import require_balance

QGMS = 2
DRAIN_EVERY = 8  # frames: fewer than a socket holds
REPORT_EVERY = 1_000_000


def templates(link: Link) -> list[bytes]:
    """Return frames to a port that a router would have much to do with."""
    head = mac(link.router_mac) + mac(link.tester_mac) + b"\x08\x00"
    source = bytes([10, 0, link.port, 2])
    found = []
    for number in range(len(LINKS) + 1):
        for host in (1, 2, 77, 255):
            to = bytes([10, 0, number, host])
            options = (b"", b"\1\1\1\0", b"\x83\7\4\n\0\1\2\0", b"\7\x27\4" + bytes(37))[(number + host) % 4]
            for protocol, data in ((17, bytes(18)), (1, b"\x08\0\xf7\xff" + bytes(40)), (6, bytes(400))):
                found.append(head + packet(source, to, host, protocol, options, 0, data))
        asked = bytes([10, 0, link.port, 1 + number])
        for operation in (1, 2):
            sender = mac(link.tester_mac) + bytes([10, 0, link.port, 70 + number])
            body = bytes.fromhex("000108000604") + operation.to_bytes(2, "big") + sender + bytes(6) + asked
            found.append(b"\xff" * 6 + mac(link.tester_mac) + b"\x08\x06" + body + bytes(18))
    return found


def malformed(chance: random.Random, right: list[bytes]) -> bytes:
    """Return one frame: a right one with a few bytes changed, cut or continued, or bytes without any sense."""
    draw = chance.random
    if draw() < 0.1:
        return chance.randbytes(14 + int(draw() * 200))
    frame = bytearray(right[int(draw() * len(right))])
    for _ in range(1 + int(draw() * 3)):
        frame[int(draw() * min(len(frame), 60))] = int(draw() * 256)
    kind = draw()
    if kind < 0.2:
        return bytes(frame[: 14 + int(draw() * len(frame))])
    if kind < 0.25:
        return bytes(frame) + bytes(int(draw() * 1000))
    if kind < 0.6 and len(frame) >= 34 and frame[14] & 15 >= 5:  # a right checksum over what is wrong
        frame[24:26] = b"\0\0"
        end = 14 + (frame[14] & 15) * 4
        total = sum(struct.unpack(f">{(end - 14) // 2}H", bytes(frame[14:end]).ljust(end - 14, b"\0")))
        frame[24:26] = (0xFFFF - (total % 0xFFFF or 0xFFFF)).to_bytes(2, "big")
    return bytes(frame)


@dataclass
class Flood:
    """A machine set up as a router with a tester on each port, and what has gone in and come out so far."""

    machine: Machine
    sent: list[int]
    received: list[int]

    @staticmethod
    def begin(machine: Machine) -> Flood:
        for link in LINKS:
            machine.ok(f"qgm add {1 + link.port % QGMS} {link.port}")
            machine.ok(f"addr add {link.port} {link.router}/24")
            machine.ok(f"neigh add {link.port} {link.tester} {link.tester_mac}")
        machine.ok("start")
        return Flood(machine, [0] * len(LINKS), [0] * len(LINKS))

    def _drain(self) -> None:
        for link in LINKS:
            self.received[link.port] += len(self.machine.take_all(link.port))

    def pour(self, frames: int, seed: int, say: Callable[[int], None] = lambda done: None) -> None:
        """Send so many malformed frames, to the ports in turns."""
        chance = random.Random(seed)
        right = [templates(link) for link in LINKS]
        for number in range(frames):
            port = number % len(LINKS)
            self.machine.send(port, malformed(chance, right[port]))
            self.sent[port] += 1
            if number % DRAIN_EVERY == 0:
                self._drain()
            if number % REPORT_EVERY == REPORT_EVERY - 1:
                say(number + 1)

    def require_sane(self) -> None:
        """Fail unless the console answers, all frames are accounted for, and every way still forwards."""
        while not self.machine.all_silent(2.5):  # longer than ARP is repeated after
            self._drain()
        assert self.machine.objects("version")[0]["name"].startswith("pix-")
        ports = require_balance(self.machine)
        assert [port["rx_packets"] for port in ports] == self.sent
        assert [port["tx_packets"] for port in ports] == self.received
        for source in LINKS:
            for target in LINKS:
                datagram = Datagram(source, target, -1, 64, b"", 100)
                self.machine.send(source.port, datagram.frame(1))
                self.sent[source.port] += 1
                assert self.machine.receive(target.port) == datagram.forwarded(1)
                self.received[target.port] += 1


def main() -> None:
    """Run as a program."""
    image, frames, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1
    with tempfile.TemporaryDirectory(prefix="pix-malformed-") as folder:
        cores = 1 + QGMS
        with Machine(image.resolve(), Path(folder), ports=len(LINKS), cores=cores) as machine:
            flood = Flood.begin(machine)
            start_s = time.monotonic()
            flood.pour(
                frames, seed, lambda done: print(f"{done} frames, {time.monotonic() - start_s:.0f} s", flush=True)
            )
            flood.require_sane()
            print(f"sent {sum(flood.sent)} frames, received {sum(flood.received)}; all accounted for, still forwarding")
            for counters in machine.objects("counters"):
                print({name: value for name, value in counters.items() if name != "drops"})
                print({reason: count for reason, count in counters["drops"].items() if count})


if __name__ == "__main__":
    main()
