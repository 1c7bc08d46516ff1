"""Sends nonsense to both sockets of a server, watches its memory, and tells whether the next client is served.

    python -m tests.vtrex.fuzz_rpc --count 1000000 --seed 1

Prints resident memory and descriptors of server and engine ten times; ends with an error when the server answers a
request with an internal error, does not answer within ten seconds, prints anything, ends, or refuses the next client.
"""

from __future__ import annotations

import argparse
import json
import socket
import time
import zlib
from collections import deque
from pathlib import Path
from typing import Any

import zmq

from tests.vtrex.fuzz_messages import MAGIC_BYTES, Messages
from tests.vtrex.serving import PATIENT, Rpc, Server, connected, run_client

PIPELINED = 32
ANSWER_S = 10
HALF_OPEN = 2000
RESET_EVERY = 500
INTERNAL_ERROR = -32603


class WentWrong(Exception):
    """The server did what it must not."""


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024


def footprint(server: Server) -> str:
    """Describe the memory and descriptors of server and engine."""
    pids = {"server": server.process.pid, "engine": server.engine_pid()}
    parts = [f"{name} {resident_mb(pid):.1f} MB" for name, pid in pids.items()]
    return ", ".join([*parts, f"{len(list(Path(f'/proc/{server.process.pid}/fd').iterdir()))} descriptors"])


def check_answer(wire: bytes, request: list[bytes]) -> None:
    """Raise WentWrong unless this is JSON without an internal error."""
    text = zlib.decompress(wire[8:]) if wire.startswith(MAGIC_BYTES) else wire
    answer = json.loads(text)
    for one in answer if isinstance(answer, list) else [answer]:
        if isinstance(one, dict) and one.get("error", {}).get("code") == INTERNAL_ERROR:
            raise WentWrong(f"internal error {one['error']} for {request[0][:1500]!r}")


class Pipeline:
    """A DEALER socket that has several requests under way, each answered in turn."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], server: Server) -> None:
        """Connect to the RPC socket."""
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVTIMEO, ANSWER_S * 1000)
        self._socket.connect(f"tcp://127.0.0.1:{server.rpc_port}")
        self._waiting: deque[list[bytes]] = deque()

    def send(self, message: list[bytes]) -> None:
        """Send a message; when enough are under way take an answer first."""
        if len(self._waiting) >= PIPELINED:
            self._take()
        self._socket.send_multipart([b"", *message])
        self._waiting.append(message)

    def drain(self) -> None:
        """Take all answers."""
        while self._waiting:
            self._take()

    def _take(self) -> None:
        request = self._waiting.popleft()
        try:
            reply = self._socket.recv_multipart()
        except zmq.Again:
            others = b"\n".join(part for message in self._waiting for part in message)
            raise WentWrong(f"no answer within {ANSWER_S} s; perhaps to {request[0]!r}, before {others!r}") from None
        check_answer(reply[-1], request)

    def close(self) -> None:
        """Disconnect, whatever is under way."""
        self._socket.close()


def disturb(messages: Messages, context: zmq.Context[zmq.Socket[bytes]], server: Server) -> None:
    """Send what is no message at all to both ports: raw bytes, subscriptions to anything, envelopes without an end."""
    for port in (server.rpc_port, server.async_port):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
            greeting = b"\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL" + bytes(48)
            for part in (greeting if messages.random.random() < 0.5 else b"", messages.random.randbytes(300)):
                try:
                    raw.sendall(part)
                except OSError:  # it has hung up
                    break
    subscriber = context.socket(zmq.XSUB)
    subscriber.setsockopt(zmq.LINGER, 0)
    subscriber.connect(f"tcp://127.0.0.1:{server.async_port}")
    for _ in range(20):
        subscriber.send(
            bytes([messages.random.choice((0, 1, 1, 2, 77))]) + messages.random.randbytes(messages.random.randrange(40))
        )
    envelope = context.socket(zmq.DEALER)
    envelope.setsockopt(zmq.LINGER, 0)
    envelope.connect(f"tcp://127.0.0.1:{server.rpc_port}")
    envelope.send_multipart(messages.next())  # without a delimiter
    envelope.send_multipart([b"", *messages.next()])  # its answer finds nobody
    time.sleep(0.01)
    subscriber.close()
    envelope.close()


def half_open(server: Server, count: int) -> list[socket.socket]:
    """Open connections to both ports that say nothing."""
    opened = []
    for number in range(count):
        opened.append(
            socket.create_connection(("127.0.0.1", (server.rpc_port, server.async_port)[number % 2]), timeout=5)
        )
    return opened


def bring_back(rpc: Rpc, messages: Messages) -> None:
    """Take the ports, end their traffic and remove what has piled up, so that the next requests reach something."""
    rpc.reset(0, 1)
    for port_id in (0, 1):
        for profile in rpc.call("get_profile_list", port_id=port_id):
            rpc.call("stop_traffic", port_id=port_id, profile_id=profile)
            rpc.call("remove_all_streams", port_id=port_id, profile_id=profile)
        rpc.call("service", port_id=port_id, enabled=False)
        rpc.call("set_rx_feature", port_id=port_id, type="queue", enabled=False)
    for capture in rpc.call("capture", command="status"):
        rpc.call("capture", command="remove", capture_id=capture["id"])
    messages.handlers.update(rpc.handlers)


def fuzz(server: Server, count: int, seed: int, report: Any = print) -> None:
    """Send ``count`` messages to a server and disturb it meanwhile.

    Raises:
        WentWrong: an internal error, or no answer.

    """
    context = zmq.Context()
    with connected(server) as rpc:
        messages = Messages(seed, rpc.api_h, rpc.handlers)
        pipeline = Pipeline(context, server)
        begun_s = time.monotonic()
        for number in range(count):
            if number % RESET_EVERY == 0:
                pipeline.drain()
                bring_back(rpc, messages)
                disturb(messages, context, server)
            if number % max(1, count // 10) == 0:
                report(f"{number} messages, {number / (time.monotonic() - begun_s):.0f}/s, {footprint(server)}")
            pipeline.send(messages.next())
        pipeline.drain()
        bring_back(rpc, messages)
        report(f"{count} messages, {count / (time.monotonic() - begun_s):.0f}/s, {footprint(server)}")
        pipeline.close()
    context.term()


def next_client(server: Server, generation: int) -> None:
    """Run a short job with an official client."""
    sent = run_client(
        server,
        """
        client.reset(ports=[0, 1])
        burst = STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXSingleBurst(total_pkts=7, pps=1000))
        client.add_streams([burst], ports=[0])
        client.clear_stats()
        client.start(ports=[0])
        client.wait_on_traffic(ports=[0])
        answer(client.get_stats()[1]["ipackets"])
        """,
        generation=generation,
    )
    if sent != 7:
        raise WentWrong(f"the next client got {sent} of 7 frames")


def main() -> None:
    """Fuzz a server of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="messages to send")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    server = Server("--wire", *PATIENT)
    try:
        opened = half_open(server, HALF_OPEN)
        fuzz(server, options.count, options.seed)
        for connection in opened:
            connection.close()
        for generation in (4, 5):
            next_client(server, generation)
        print(f"the next clients work; {footprint(server)}")
    finally:
        code, errors = server.stop()
        print(f"server ended with {code}, printed {errors[:4000]!r}")
    if (code, errors) != (0, ""):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
