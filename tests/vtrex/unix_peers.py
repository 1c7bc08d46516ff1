"""The far ends of dgram and stream ports, as a test plays them."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

LIMIT_S = 10.0


class DgramPeer:
    """The socket ``peer`` of a port ``dgram:LOCAL,PEER``; ``fresh`` may replace a socket that is gone."""

    def __init__(self, local: Path, peer: Path) -> None:
        self._local = str(local)
        self._path = peer
        peer.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(LIMIT_S)
        self.socket.bind(str(peer))

    def send(self, frame: bytes) -> None:
        self.socket.sendto(frame, self._local)

    def receive(self, count: int) -> list[bytes]:
        return [self.socket.recv(1 << 16) for _ in range(count)]

    def close(self) -> None:
        self.socket.close()


class StreamPeer:
    """The other side of a port ``stream:PATH``; it listens where the port does not."""

    def __init__(self, path: Path, *, listens: bool) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if listens:
            path.unlink(missing_ok=True)
            with self.socket as listener:
                listener.bind(str(path))
                listener.listen()
                listener.settimeout(LIMIT_S)
                self.socket = listener.accept()[0]
        else:
            self.socket.connect(str(path))
        self.socket.settimeout(LIMIT_S)

    def send(self, frame: bytes) -> None:
        self.socket.sendall(struct.pack(">I", len(frame)) + frame)

    def receive(self, count: int) -> list[bytes]:
        return [self._exactly(*struct.unpack(">I", self._exactly(4))) for _ in range(count)]

    def _exactly(self, length: int) -> bytes:
        got = bytearray()
        while len(got) < length:
            part = self.socket.recv(length - len(got))
            assert part, f"the connection ended after {len(got)} of {length} bytes"
            got += part
        return bytes(got)

    def close(self) -> None:
        self.socket.close()


def silent(peer: DgramPeer | StreamPeer, for_s: float = 0.2) -> bool:
    """Tell whether nothing comes for some time."""
    peer.socket.settimeout(for_s)
    try:
        return not peer.socket.recv(1 << 16)
    except TimeoutError:
        return True
    finally:
        peer.socket.settimeout(LIMIT_S)


def frame(number: int, size_bytes: int = 60) -> bytes:
    """Return a test frame of this number (no flow of the generator's)."""
    head = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\xb5" + struct.pack(">I", number)
    return head + bytes((number + k) % 256 for k in range(size_bytes - len(head)))


def wait(condition: object, limit_s: float = LIMIT_S) -> None:
    """Wait until a condition (a function) holds."""
    assert callable(condition)
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.01)
