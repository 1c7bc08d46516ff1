"""A far end between two interfaces that does wrong to some frames: ``python -m tests.vtrex.forwarding FAULT``.

It runs in the namespace of the interfaces near0 and near1. A line ``ready`` tells that it forwards. On stdin ``right``
lets it do right from then on, ``replay`` send again what it has kept, as well; a number ends it when so many frames
have come in each direction: it then prints, as JSON, how many of them it forwarded rightly and wronged.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
from collections.abc import Callable

EVERY = 10  # of the frames of a direction, one is wronged
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33  # socket(7)
PACKET_OUTGOING = 4
LONGEST_WAIT_S = 5.0
IP = 14


def routed(frame: bytes) -> bytes:
    """Return the frame as a router sends it on: TTL less by one, checksum adjusted, addresses of the other link."""
    out = bytearray(frame)
    out[0:6], out[6:12] = b"\2\0\0\0\0\x0c", b"\2\0\0\0\0\x0d"
    out[IP + 8] -= 1
    (checksum,) = struct.unpack_from(">H", out, IP + 10)
    checksum += 0x100
    struct.pack_into(">H", out, IP + 10, (checksum & 0xFFFF) + (checksum >> 16))
    return bytes(out)


def flip(frame: bytes, offset: int, bit: int = 1) -> bytes:
    out = bytearray(frame)
    out[offset] ^= bit
    return bytes(out)


def swap_addresses(frame: bytes) -> bytes:
    """Exchange source and destination, which leaves the checksum right."""
    return frame[: IP + 12] + frame[IP + 16 : IP + 20] + frame[IP + 12 : IP + 16] + frame[IP + 20 :]


def unrouted(frame: bytes) -> bytes:
    """Forget the TTL: only the link's addresses change."""
    return routed(frame)[:12] + frame[12:]


def without_checksum(frame: bytes) -> bytes:
    """Forget the checksum."""
    return routed(frame)[: IP + 10] + frame[IP + 10 : IP + 12] + routed(frame)[IP + 12 :]


class Forwarder:
    """The two interfaces; each fault gets the interface that a frame came in by and the frame."""

    def __init__(self, fault: str) -> None:
        self.sockets = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) for _ in range(2)]
        for number, sock in enumerate(self.sockets):
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)  # no frame is lost here
            sock.bind((f"near{number}", 0))
        self.fault = fault
        self.right, self.wronged = [0, 0], [0, 0]
        self.kept: list[list[bytes]] = [[], []]
        rewritten: dict[str, Callable[[bytes], bytes]] = {
            "payload": lambda frame: flip(routed(frame), IP + 29),
            "last-byte": lambda frame: flip(routed(frame), -1, 0x80),
            "identification": lambda frame: flip(routed(frame), IP + 4, 0x40),
            "ether-type": lambda frame: flip(routed(frame), 12),
            "addresses": lambda frame: swap_addresses(routed(frame)),
            "ttl": unrouted,
            "checksum": without_checksum,
            "next-hop": lambda frame: flip(routed(frame), 5),
            "cut": lambda frame: routed(frame)[:-1],
            "longer": lambda frame: routed(frame) + b"\0",
        }
        self.rewrite = rewritten.get(fault, routed)

    def forward(self, came_in: int, count: int, frame: bytes) -> None:
        """Send a frame on; the tenth, twentieth ... of a direction is wronged."""
        wrong = self.fault != "none" and count % EVERY == 0
        out = self.sockets[1 - came_in]
        if not wrong or self.fault in ("duplicate", "keep"):
            out.send(routed(frame))
            self.right[came_in] += 1
        if not wrong:
            return
        self.wronged[came_in] += 1
        if self.fault == "duplicate":
            out.send(routed(frame))
        elif self.fault == "port":
            self.sockets[came_in].send(routed(frame))
        elif self.fault == "late":  # after the next EVERY - 1 frames, so that it is out of order
            self.kept[came_in].append(frame)
            if len(self.kept[came_in]) > 1:
                out.send(routed(self.kept[came_in].pop(0)))
        elif self.fault == "keep":  # sent again in the next run
            self.kept[came_in].append(frame)
        else:
            out.send(self.rewrite(frame))

    def serve(self) -> None:
        counts = [0, 0]
        wanted: int | None = None
        last = 0.0
        print("ready", flush=True)
        while wanted is None or (min(counts) < wanted and time.monotonic() < last):
            ready, _, _ = select.select([sys.stdin, *self.sockets], [], [], 0.1)
            for number, sock in enumerate(self.sockets):
                if sock in ready:
                    frame, address = sock.recvfrom(4096)
                    if address[2] != PACKET_OUTGOING:
                        counts[number] += 1
                        self.forward(number, counts[number], frame)
            if sys.stdin in ready and len(ready) == 1:
                word = sys.stdin.readline().strip()
                if word.isdigit():
                    wanted, last = int(word), time.monotonic() + LONGEST_WAIT_S
                    continue
                if word == "replay":
                    self.replay()
                self.fault = "none"
                print("done", flush=True)
        print(json.dumps({"right": self.right, "wronged": self.wronged}), flush=True)

    def replay(self) -> None:
        for number, frames in enumerate(self.kept):
            for frame in frames:
                self.sockets[1 - number].send(routed(frame))


if __name__ == "__main__":
    Forwarder(sys.argv[1]).serve()
