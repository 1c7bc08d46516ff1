"""Malformed and random messages for the RPC socket: recorded requests that were changed, and plain nonsense."""

from __future__ import annotations

import copy
import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.vtrex.methods import METHODS
from lab.vtrex.rpc import MAGIC

FOLDER = Path(__file__).parent
NEVER = {"shutdown"}  # it does what it says
MAGIC_BYTES = MAGIC.to_bytes(4, "big")
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2, 127, 255, 65535, 2**31, 2**32, 2**63, 2**64, 10**30, -(2**63), 0.5, -0.0, 1e-300,
    1e300, float("inf"), float("nan"), "", "_", "*", "0", "x" * 300, "\0", "\ud800", "\U0001d518", "raw", "abs", "pps",
    "latency", "stats", "start", "status", "fetch", "stop", "remove", "fixed", "cyclic", "tcp", "udp port 7",
    "tcp://127.0.0.1:1", "ipc://nowhere", "tcp://*:0?pcap", "00:11:22:33:44:55", "1.2.3.4", "::1", [], {}, [0], [1, 1],
    [None], {"a": {}}, [[[]]],
]  # fmt: skip


def recorded_requests() -> list[dict[str, Any]]:
    """Return every request of the records, once a method and shape."""
    found: dict[str, dict[str, Any]] = {}
    for name in ("recorded_v308.jsonl", "recorded_v287.jsonl"):
        for line in (FOLDER / name).read_text().splitlines():
            entry = json.loads(line)["request"]
            for request in entry if isinstance(entry, list) else [entry]:
                key = request["method"] + str(sorted(request["params"]))
                found.setdefault(key, request)
    return [request for request in found.values() if request["method"] not in NEVER]


class Messages:
    """A stream of messages; the same seed gives the same messages."""

    def __init__(self, seed: int, api_h: str, handlers: dict[int, str]) -> None:
        """Make requests that carry a server's handles, mostly."""
        self.random = random.Random(seed)
        self.api_h, self.handlers = api_h, handlers
        self._recorded = recorded_requests()
        self._methods = sorted({*METHODS} - NEVER)
        self._kinds: list[tuple[Callable[[], list[bytes]], int]] = [
            (self.changed, 70), (self.any_method, 12), (self.batch, 5), (self.broken_text, 5), (self.noise, 3),
            (self.compressed, 3), (self.deep, 1), (self.multipart, 1),
        ]  # fmt: skip

    def next(self) -> list[bytes]:
        """Return the parts of one message."""
        kinds, weights = zip(*self._kinds, strict=True)
        made: Callable[[], list[bytes]] = self.random.choices(kinds, weights)[0]
        return made()

    def _text(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def value(self, depth: int = 0) -> Any:
        """Return an odd value, sometimes a structure of them."""
        pick = self.random.random()
        if depth < 3 and pick < 0.1:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        if depth < 3 and pick < 0.2:
            return {self.random.choice("abcdef"): self.value(depth + 1) for _ in range(self.random.randrange(4))}
        if pick < 0.4:
            return self.random.randrange(-10, 2000)
        return copy.deepcopy(self.random.choice(ODD))

    def _change(self, node: Any) -> Any:
        """Change something somewhere in a JSON value."""
        if isinstance(node, dict) and node and self.random.random() < 0.85:
            key = self.random.choice(sorted(node))
            if key in ("api_h", "jsonrpc", "id", "handler", "method") and self.random.random() < 0.95:
                return node
            if self.random.random() < 0.1:
                return {name: value for name, value in node.items() if name != key}
            return node | {key: self._change(node[key])}
        if isinstance(node, list) and node and self.random.random() < 0.85:
            at = self.random.randrange(len(node))
            return [*node[:at], self._change(node[at]), *node[at + 1 :]]
        return self.value()

    def request(self) -> Any:
        """Return a recorded request with up to three changes, with the right handles."""
        request = copy.deepcopy(self.random.choice(self._recorded))
        params = request["params"]
        if "api_h" in params:
            params["api_h"] = self.api_h
        if "handler" in params:
            params["handler"] = self.handlers.get(params.get("port_id", 0), "")
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 3))):
            request = self._change(request)
        return request

    def changed(self) -> list[bytes]:
        """A changed request."""
        return [self._text(self.request())]

    def any_method(self) -> list[bytes]:
        """Any method, with parameters of any kind."""
        method = self.random.choice(self._methods)
        names = (
            "port_id",
            "pg_id",
            "command",
            "stream_id",
            "type",
            "enabled",
            "limit",
            "offset",
            "mul",
            "pkts",
            "pgids",
        )
        port_id = self.random.choice((0, 1, 0, 1, self.value()))
        params = {self.random.choice(names): self.value() for _ in range(4)} | {"api_h": self.api_h, "port_id": port_id}
        if port_id in (0, 1):
            params["handler"] = self.handlers[port_id]
        return [self._text({"jsonrpc": "2.0", "id": "f", "method": method, "params": params})]

    def batch(self) -> list[bytes]:
        """A batch of requests and other things."""
        elements = [
            self.request() if self.random.random() < 0.8 else self.value() for _ in range(self.random.randrange(20))
        ]
        return [self._text(elements)]

    def broken_text(self) -> list[bytes]:
        """A request of which bytes were changed or cut off."""
        text = bytearray(self._text(self.request()))
        for _ in range(self.random.randrange(1, 4)):
            text[self.random.randrange(len(text))] = self.random.randrange(256)
        return [bytes(text[: self.random.randrange(1, len(text) + 1)])]

    def noise(self) -> list[bytes]:
        """Random bytes, a number with too many digits, or none at all."""
        return [self.random.choice((self.random.randbytes(self.random.randrange(200)), b"9" * 5000, b"", b"\xff\xfe{"))]

    def compressed(self) -> list[bytes]:
        """A compressed request: right, damaged, with a wrong length, or one that would become very long."""
        text = self._text(self.request())
        pick = self.random.random()
        if pick < 0.01:
            text = b" " * 50_000_000
        body = zlib.compress(text, 1)
        if 0.01 <= pick < 0.4:
            body = body[: self.random.randrange(len(body))] + self.random.randbytes(4)
        length = len(text) if self.random.random() < 0.7 else self.random.randrange(2**32)
        return [MAGIC_BYTES + struct.pack(">I", length) + body]

    def deep(self) -> list[bytes]:
        """Nesting deeper than a parser likes."""
        levels = self.random.choice((100, 5_000, 200_000))
        opening = self.random.choice((b"[", b'{"a":'))
        return [opening * levels]

    def multipart(self) -> list[bytes]:
        """A message of several parts."""
        return [self.changed()[0] if self.random.random() < 0.5 else b"" for _ in range(self.random.randrange(2, 6))]
