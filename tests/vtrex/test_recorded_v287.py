"""What a real TRex v2.87 server answered and published to trex-stl-lib 0.3 has, field by field, the shape of ours.

recorded_v287.jsonl holds all requests of a short run in their order, published_v287.jsonl what the server sent
meanwhile on the asynchronous channel.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zmq

from tests.vtrex.serving import FRAME_MAGIC, Server, connected
from tests.vtrex.test_recorded import Replay, differences

RECORD = Path(__file__).with_name("recorded_v287.jsonl")
PUBLISHED = Path(__file__).with_name("published_v287.jsonl")
OF_OTHER_MODES = ("template", "unknown")  # counters of TRex's stateful mode in trex-global; no client reads them
LAST_EVENT = 6  # the port is released


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def parse(wire: bytes) -> Any:
    if wire.startswith(FRAME_MAGIC):
        assert len(wire) < int.from_bytes(wire[4:8], "big")
        return json.loads(zlib.decompress(wire[8:]))
    assert len(wire) <= 256
    return json.loads(wire)


@contextmanager
def subscribed(server: Server) -> Iterator[zmq.Socket[bytes]]:
    context = zmq.Context()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.setsockopt(zmq.RCVTIMEO, 3000)
    socket.connect(f"tcp://127.0.0.1:{server.async_port}")
    yield socket
    socket.close(linger=0)
    context.term()


def barrier(replay: Replay, socket: zmq.Socket[bytes], seen: list[dict[str, Any]]) -> None:
    """Publish until it arrives, as the client does."""
    deadline = time.monotonic() + 5
    socket.setsockopt(zmq.RCVTIMEO, 100)
    while not any(message["name"] == "trex-barrier" for message in seen):
        assert time.monotonic() < deadline
        replay.rpc.call("publish_now", key=7, baseline=False)
        try:
            while True:
                seen.append(parse(socket.recv()))
        except zmq.Again:
            pass
    socket.setsockopt(zmq.RCVTIMEO, 3000)


def replay_all(replay: Replay, server: Server) -> list[dict[str, Any]]:
    entries = read(RECORD)
    replay.entry(entries[0])
    seen: list[dict[str, Any]] = []
    with subscribed(server) as socket:
        barrier(replay, socket, seen)
        seen.clear()
        for entry in entries[1:]:
            if entry["phase"] == "wait":
                replay.rpc.wait_idle(0)
            replay.entry(entry)
        released = 0
        while released < 2:
            seen.append(parse(socket.recv()))
            released += (seen[-1]["name"], seen[-1]["type"]) == ("trex-event", LAST_EVENT)
    return seen


def test_replies_and_messages_have_the_recorded_shape(wire_server: Server) -> None:
    with connected(wire_server) as rpc:
        replay = Replay(rpc, "SY0FZ9dQ")
        ours = replay_all(replay, wire_server)
    assert replay.found == []
    theirs = [entry["msg"] for entry in read(PUBLISHED)]

    def events(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [message for message in messages if message["name"] == "trex-event"]

    assert [event["type"] for event in events(ours)] == [event["type"] for event in events(theirs)]
    for their, our in zip(events(theirs), events(ours), strict=True):
        assert list(differences(their, our)) == []
        assert their["data"].get("port_id") == our["data"].get("port_id")
    for name, kind in (("trex-global", "total"), ("trex-barrier", "key")):
        their, our = (next(message for message in messages if message["name"] == name) for messages in (theirs, ours))
        for field in OF_OTHER_MODES:
            their["data"].pop(field, None)
        assert list(differences(their, our, kind)) == []
    baselines = [message for message in ours if message.get("baseline")]
    assert [message["name"] for message in baselines] == ["trex-global"]
    asked = [entry["request"]["params"]["key"] for entry in read(RECORD)[1:] if "key" in str(entry["request"])]
    assert [message["type"] for message in ours if message["name"] == "trex-barrier"] == asked
