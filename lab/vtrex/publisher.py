"""The asynchronous channel: one socket that serves the clients of both generations.

Clients of API 5 wait for the doorbell, the two bytes ``{}``, and then ask for their events. Clients of API 4 take
events and statistics themselves, as JSON, from this socket, and end a process group when they get a doorbell. All of
them subscribe to everything, so the server chooses: it lets a subscriber see messages by how they begin.

ZeroMQ does not tell which client a subscriber belongs to. But each client names its API right before it subscribes: a
subscriber gets the doorbell only if none but clients of API 5 have named theirs lately, otherwise JSON, which harms no
client (those of API 5 ignore it, and ask twice a second if it leaves them time).
"""

from __future__ import annotations

import json
import time
from collections import deque
from typing import Any

import zmq

from lab.vtrex.rpc import MAGIC, pack

DOORBELL = b"{}"
TOPICS = {5: (DOORBELL,), 4: (b'{"', MAGIC.to_bytes(4, "big"))}
COMPRESSED_ABOVE_BYTES = 256
EXPECTED_S = 10.0  # from naming an API to subscribing; the clients of TRex take milliseconds
STATISTICS_S = 1.0
"""TRex's period is half as long, but so is the silence after which a client of API 5 without a doorbell asks."""
MAX_EXPECTED = 1000
MAX_AT_ONCE = 1000  # subscriptions between two requests


class Publisher:
    """What is sent to subscribers, and who gets what."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        """Serve a bound XPUB socket in manual mode."""
        self.socket = socket
        self._expected: deque[tuple[int, float]] = deque(maxlen=MAX_EXPECTED)
        self._subscriptions = 0
        self._json = False
        self._next_statistics_s = 0.0

    @property
    def serves_json(self) -> bool:
        """Whether somebody may be waiting for JSON: a subscriber of it has come, and not all have left since."""
        return self._json

    def statistics_due(self, now_s: float) -> bool:
        """Tell whether statistics are to be sent now, which is then assumed to be done."""
        if not self._json or now_s < self._next_statistics_s:
            return False
        self._next_statistics_s = now_s + STATISTICS_S - 0.1
        return True

    def expect(self, generation: int) -> None:
        """Note that a client of API 4 or 5 is about to subscribe."""
        self._expected.append((generation, time.monotonic() + EXPECTED_S))

    def accept(self) -> None:
        """Let the subscribers that have come see what their generation understands, and note which have left."""
        for _ in range(MAX_AT_ONCE):
            try:
                message = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            if message[:1] == b"\x01":
                self._subscriptions += 1
                for topic in TOPICS[self._generation()]:
                    self.socket.setsockopt(zmq.SUBSCRIBE, topic)
            elif message[:1] == b"\x00":
                self._subscriptions -= 1
                self._json = self._json and self._subscriptions > 0

    def _generation(self) -> int:
        now_s = time.monotonic()
        while self._expected and self._expected[0][1] < now_s:
            self._expected.popleft()
        generations = {generation for generation, _ in self._expected}
        chosen = 5 if generations == {5} else 4
        self._json = self._json or chosen == 4
        for entry in self._expected:
            if entry[0] == chosen:
                self._expected.remove(entry)
                break
        return chosen

    def ring(self) -> None:
        """Tell the clients of API 5 to ask for their events."""
        self.socket.send(DOORBELL)

    def tell(self, name: str, kind: int, data: dict[str, Any], **more: Any) -> None:
        """Send a JSON message to the clients of API 4."""
        if not self._json:
            return
        text = json.dumps({"name": name, "type": kind, "data": data, **more}, separators=(",", ":")).encode()
        self.socket.send(pack(text, compressed=True) if len(text) > COMPRESSED_ABOVE_BYTES else text)
