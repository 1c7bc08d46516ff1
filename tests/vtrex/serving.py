"""A vtrex server in a process of its own, and two ways to talk to it: raw requests and the official client."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import zmq

from lab import paths
from lab.process import dying_with_parent

READY = re.compile(r"vtrex ready rpc=tcp://127\.0\.0\.1:(\d+) async=tcp://127\.0\.0\.1:(\d+)\n")
PATIENT = ("--late-us", "1000000", "--full-wait-us", "1000000")
"""Options of a server that sends every frame, whatever else runs on this machine: counts can be compared exactly."""
FRAME_MAGIC = bytes.fromhex("ABE85CEA")


class Serving(Protocol):
    """A server that listens."""

    rpc_port: int
    async_port: int


def _stands_still(pid: int) -> bool:
    return all(
        task.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def pause(pid: int, duration_s: float) -> None:
    """Stop a process for ``duration_s`` or longer; a thread that runs stops some time after the signal."""
    os.kill(pid, signal.SIGSTOP)
    while not _stands_still(pid):
        time.sleep(0.001)
    time.sleep(duration_s)
    os.kill(pid, signal.SIGCONT)


class RpcFailure(Exception):
    """An error reply."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error.get('specific_err', error['message'])}")
        self.code = error["code"]
        self.error = error


class Server:
    """A running ``vtrex serve``."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "lab.vtrex", "serve", "--rpc-port", "0", "--async-port", "0", *options]
        self.process = subprocess.Popen(
            dying_with_parent(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = READY.fullmatch(line)
        assert match is not None, f"{line!r}, then {self.stop()[1]!r}"
        self.rpc_port, self.async_port = int(match[1]), int(match[2])

    def engine_pid(self) -> int:
        children = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "vtrex-engine"], capture_output=True, text=True, check=True
        )
        return int(children.stdout)

    def stop(self) -> tuple[int, str]:
        """Ask it to end; returns (exit code, what it printed as errors). May be called twice."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        if not self.process.stderr or self.process.stderr.closed:
            return self.process.returncode, ""
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


class Rpc:
    """Raw requests on the synchronous channel."""

    def __init__(self, server: Serving) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVTIMEO, 5000)
        self._socket.connect(f"tcp://127.0.0.1:{server.rpc_port}")
        self._ids = itertools.count(1)
        self.api_h = self.call("api_sync_v2", name="STL", major=5, minor=1)["api_h"]
        self.handlers: dict[int, str] = {}

    def exchange(self, wire: bytes) -> bytes:
        self._socket.send(wire)
        return bytes(self._socket.recv())

    def request(self, method: str, params: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": f"r{next(self._ids)}", "method": method, "params": params}

    def send(self, request: Any, *, compressed: bool = False) -> Any:
        text = json.dumps(request).encode()
        if not compressed:
            return json.loads(self.exchange(text))
        reply = self.exchange(FRAME_MAGIC + len(text).to_bytes(4, "big") + zlib.compress(text))
        assert reply[:4] == FRAME_MAGIC
        inflated = zlib.decompress(reply[8:])
        assert len(inflated) == int.from_bytes(reply[4:8], "big")
        return json.loads(inflated)

    def call(self, method: str, **params: Any) -> Any:
        """Return the result of a method; the handles are added."""
        if hasattr(self, "api_h"):
            params = {"api_h": self.api_h, **params}
            if params.get("port_id") in self.handlers:
                params = {"handler": self.handlers[params["port_id"]], **params}
        reply = self.send(self.request(method, params))
        if "error" in reply:
            raise RpcFailure(reply["error"])
        return reply["result"]

    def acquire(self, *ports: int) -> None:
        for port_id in ports:
            self.handlers[port_id] = self.call("acquire", port_id=port_id, user="test", session_id=1, force=True)

    def reset(self, *ports: int) -> None:
        """Acquire ports and remove what earlier tests left on them."""
        self.acquire(*ports)
        for port_id in ports:
            self.call("stop_traffic", port_id=port_id, profile_id="*")
            self.call("remove_all_streams", port_id=port_id, profile_id="*")

    def wait_idle(self, *ports: int, limit_s: float = 10.0) -> None:
        deadline = time.monotonic() + limit_s
        while any(self.call("get_port_status", port_id=port_id)["state"] == "TX" for port_id in ports):
            assert time.monotonic() < deadline, "traffic does not end"
            time.sleep(0.02)

    @contextmanager
    def capturing(self, port_id: int, limit: int) -> Iterator[list[bytes]]:
        """Put the first frames that a port receives meanwhile into the list, at the end."""
        frames: list[bytes] = []
        started = self.call("capture", command="start", limit=limit, mode="fixed", tx=[], rx=[port_id], filter="")
        yield frames
        self.call("capture", command="stop", capture_id=started["capture_id"])
        frames += self.fetched(started["capture_id"])
        self.call("capture", command="remove", capture_id=started["capture_id"])

    def fetched(self, capture_id: int) -> Iterator[bytes]:
        """Fetch what a capture holds, in as many parts as it takes."""
        pending = 1
        while pending:
            part = self.call("capture", command="fetch", capture_id=capture_id, pkt_limit=1000)
            pending = part["pending"]
            yield from (base64.b64decode(packet["binary"]) for packet in part["pkts"])

    def close(self) -> None:
        self._socket.close()
        self._context.term()


@contextmanager
def connected(server: Serving) -> Iterator[Rpc]:
    rpc = Rpc(server)
    try:
        yield rpc
    finally:
        rpc.close()


IMPORTS = {
    5: "import lbr_trex_client; from trex.stl.api import *",
    4: "from trex_stl_lib.api import *; import time",
}
"""How the official client of each generation is imported."""

PRELUDE = """
import json, sys, warnings
warnings.filterwarnings("ignore")
IMPORTS
client = STLClient(server="127.0.0.1", sync_port=int(sys.argv[1]), async_port=int(sys.argv[2]))

def rpc(method, **params):
    reply = client._transmit(method, params)
    assert reply, reply
    return reply.data()

def udp(size, src="16.0.0.1", dst="48.0.0.1"):
    headers = Ether() / IP(src=src, dst=dst) / UDP(sport=1025, dport=12)
    return headers / ("x" * (size - 4 - len(headers)))

def answer(value):
    print("ANSWER " + json.dumps(value))

client.connect()
"""


def client_command(server: Serving, script: str, generation: int = 5) -> list[str]:
    """Return the command that runs a script with an official client, which it finds connected as ``client``."""
    program = PRELUDE.replace("IMPORTS", IMPORTS[generation]) + textwrap.dedent(script) + "\nclient.disconnect()\n"
    return [sys.executable, "-c", program, str(server.rpc_port), str(server.async_port)]


def run_client(server: Serving, script: str, limit_s: float = 60.0, *, generation: int = 5) -> Any:
    """Run a script with an official client in a process of its own; returns what it gave to answer().

    Its parent is ``timeout``, with a process group of its own: the client of API 4 ends its parent's group when it
    meets what it does not expect.
    """
    command = client_command(server, script, generation)
    done = subprocess.run(
        ["timeout", f"{limit_s:g}", *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(paths.ROOT)},
    )
    answers = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    assert done.returncode == 0 and answers, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(answers[-1].removeprefix("ANSWER "))
