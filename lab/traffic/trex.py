"""The TRex driver: one code for vtrex and a real TRex, through the official client in a worker process."""

from __future__ import annotations

import contextlib
import json
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import zmq

from lab.errors import GeneratorError
from lab.process import dying_with_parent, on_core
from lab.traffic.lines import LineReader
from lab.traffic.models import CapturedFrame, GeneratorInfo, SentFrame, Stream, StreamCount, TrafficResult
from lab.traffic.records import engine_report, loss_record, tagged_record

CALL_GRACE_S = 30.0

WAKE_BEFORE_END_S = 0.05
LONGEST_STOP_S = 5.0
"""Half of the 10 s after which TRex drops a session's events."""
WAKE_S = 0.1

SERVER_END_S = 1.0
"""How long a server that ends takes to be gone after its client noticed."""


def server_version(server: str, sync_port: int, timeout_s: float = 3.0) -> str:
    """Ask a server for its release; the only question that comes before any check of API versions.

    Returns:
        Such as ``v3.08``.

    Raises:
        GeneratorError: nobody answers in ``timeout_s``, or what answers is no TRex.

    """
    where = f"tcp://{server}:{sync_port}"
    context = zmq.Context()
    socket = context.socket(zmq.REQ)
    socket.setsockopt(zmq.LINGER, 0)
    try:
        socket.connect(where)
        socket.send_json({"jsonrpc": "2.0", "id": "1", "method": "get_version", "params": {}})
        if not socket.poll(int(timeout_s * 1000)):
            raise GeneratorError(
                f"no TRex answers at {where} within {timeout_s:g} s: start it (t-rex-64 -i) or correct the testbed"
            )
        answer: Any = json.loads(socket.recv())
        return str(answer["result"]["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise GeneratorError(f"what answers at {where} is no TRex server: {error}") from error
    finally:
        context.destroy()


def client_for(version: str) -> str:
    """Return the official client that talks to a server of a release.

    TRex's API was 4 up to v2.87, which trex-stl-lib 0.3 speaks, and is 5.1 from v2.94 on, as lbr-trex-client 3.4.0's.

    Raises:
        GeneratorError: the release is in between (API 5.0), which neither speaks, or older than any that is known.

    """
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    release = (int(numbers[1]), int(numbers[2])) if numbers else None
    if release is None or release >= (2, 94):
        return "lbr-trex-client"
    if (2, 29) <= release <= (2, 87):
        return "trex-stl-lib"
    raise GeneratorError(
        f"no client speaks to a TRex server {version}: trex-stl-lib 0.3 does from v2.29 to v2.87, and lbr-trex-client "
        "3.4.0 from v2.94 on: take one of these"
    )


class ServerProcess(Protocol):
    """A server on this host, whose end is seen at once and not when its client has given up waiting."""

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process has ended."""
        ...

    def last_words(self) -> str:
        """Say in a clause how the process ended."""
        ...


class TrexGenerator:
    """A TrafficGenerator: the official client in a process of its own."""

    def __init__(
        self,
        server: str,
        sync_port: int,
        async_port: int,
        log: Path,
        *,
        housekeeping_core: int | None = None,
        process: ServerProcess | None = None,
    ) -> None:
        """Connect and take all ports.

        Args:
            server: host name or address.
            sync_port: of the RPC (4501 on a stock TRex).
            async_port: of the publisher (4500).
            log: file for what the client prints.
            housekeeping_core: host core of the client, which must not wake up on one that polls; None: any.
            process: the server's, where it runs on this host.

        Raises:
            GeneratorError: the server cannot be reached, is of a release that no client speaks to, or refuses.

        """
        self._server = process
        client = client_for(server_version(server, sync_port))
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                dying_with_parent(on_core(housekeeping_core, [sys.executable, "-m", "lab.traffic.worker"])),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                bufsize=0,
            )
        self._lines = LineReader(self._process.stdout)
        self._log = log
        self._closed = False
        self._shares_cores = housekeeping_core is not None
        try:
            where = {"server": server, "sync_port": sync_port, "async_port": async_port}
            answer = self._call("connect", {**where, "client": client})
        except GeneratorError:
            self.close()
            raise
        self._info = GeneratorInfo(**answer)

    def info(self) -> GeneratorInfo:
        """Return who generates."""
        return self._info

    def run(self, streams: Sequence[Stream], duration_s: float, *, residual_s: float = 0.0) -> TrafficResult:
        """Send the streams for ``duration_s`` and return the settled counts; see TrafficGenerator.run."""
        self.prepare(streams)
        self.begin(duration_s, residual_s=residual_s)
        return self.finish(duration_s, residual_s=residual_s)

    def prepare(self, streams: Sequence[Stream]) -> None:
        """Give the server its streams; ``begin`` sends them, and ``finish`` returns what came of it."""
        asked = [
            {
                "pg_id": s.pg_id,
                "tx_port": s.tx_port,
                "rx_port": s.rx_port,
                "hex": s.frame.hex(),
                "rate_pps": s.rate_pps,
                "tagged": s.tagged,
                "sweeps": [sweep.model_dump() for sweep in s.sweeps],
                "arrival": s.arrival.model_dump() if s.arrival else None,
                "begin_s": s.begin_s,
                "frames": s.frames,
            }
            for s in streams
        ]
        self._call("prepare", {"streams": asked})

    def clock_ahead_s(self) -> float:
        """Return by how many seconds the server's clock is ahead of this host's monotonic one."""
        return float(self._call("clock_ahead_s", {}))

    def begin(self, duration_s: float, *, residual_s: float = 0.0, start_at_s: float = 0.0) -> None:
        """Start the prepared streams, at a moment of the server's clock or (0) now; ``finish`` follows."""
        args = {"duration_s": duration_s, "residual_s": residual_s, "start_at_s": start_at_s}
        self._call("run", args)  # answered when the traffic has been started

    def finish(self, duration_s: float, *, residual_s: float = 0.0) -> TrafficResult:
        """Wait until the streams have ended and return the settled counts; arguments as of ``begin``."""
        if self._shares_cores:
            self._stand_still(duration_s)
        answer = self._receive("run", duration_s + residual_s + CALL_GRACE_S)
        return TrafficResult(
            started_at_s=answer["started_at_s"],
            duration_s=answer["duration_s"],
            settled=answer["settled"],
            streams=tuple(StreamCount(**count) for count in answer["streams"]),
            tagged=tuple(tagged_record(record) for record in answer["tagged"]),
            losses=tuple(loss_record(found) for found in answer["losses"]),
            engine=engine_report(answer["report"]) if answer["report"] else None,
        )

    def exchange(
        self, frames: Sequence[SentFrame], capture_ports: Sequence[int], *, wait_s: float = 0.3, expect: int = 0
    ) -> tuple[CapturedFrame, ...]:
        """Send single frames and return what arrives; see TrafficGenerator.exchange."""
        args = {"frames": _hex(frames), "capture_ports": list(capture_ports), "wait_s": wait_s, "expect": expect}
        return _captured(self._call("exchange", args, wait_s + CALL_GRACE_S))

    def begin_capture(self, ports: Sequence[int]) -> None:
        """Get ready to send single frames, and keep what ``ports`` receive from now on."""
        self._call("begin_capture", {"ports": list(ports)})

    def send(self, frames: Sequence[SentFrame]) -> None:
        """Send single frames, after ``begin_capture``."""
        self._call("send", {"frames": _hex(frames)})

    def captured(self) -> int:
        """Return how many frames were received since ``begin_capture``."""
        return int(self._call("captured", {}))

    def end_capture(self) -> tuple[CapturedFrame, ...]:
        """Return what was received since ``begin_capture``; times are of the server's clock."""
        return _captured(self._call("end_capture", {}))

    def await_links(self, limit_s: float) -> None:
        """Wait until the links of all ports are up.

        Raises:
            GeneratorError: one is down after ``limit_s``.

        """
        down = self._call("links_down", {"limit_s": limit_s}, limit_s + CALL_GRACE_S)
        if down:
            raise GeneratorError(f"the link of the generator's port {down[0]} is still down after {limit_s:g} s")

    def close(self) -> None:
        """Release the ports and end the worker. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._process.poll() is None:
            try:
                self._call("close", {}, 5.0)
                self._process.wait(5.0)
            except (GeneratorError, subprocess.TimeoutExpired):
                self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what could not be flushed to a dead worker
                    stream.close()

    def _stand_still(self, duration_s: float) -> None:
        """Stop the worker for most of a trial.

        The client wakes up twice a second to ask for events; where it shares a core with the generator's polling loop,
        each of these is a gap of a millisecond or two in the trial. It is let run for a moment every few seconds, as a
        server forgets a client that is silent for long. Ends early when the server or the worker has ended.
        """
        watched = [one for one in (self._server, self._process.stdout) if one is not None]
        left_s = duration_s - WAKE_BEFORE_END_S
        while left_s > 0:
            piece_s = min(left_s, LONGEST_STOP_S)
            self._process.send_signal(signal.SIGSTOP)
            ended = select.select(watched, [], [], piece_s)[0]
            self._process.send_signal(signal.SIGCONT)
            if ended:
                return
            left_s -= piece_s
            if left_s > 0:
                time.sleep(WAKE_S)
                left_s -= WAKE_S

    def _call(self, name: str, args: dict[str, Any], timeout_s: float = CALL_GRACE_S) -> Any:
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(BrokenPipeError):  # then nothing will be received
            stdin.write(json.dumps({"call": name, "args": args}).encode() + b"\n")
        return self._receive(name, timeout_s)

    def _receive(self, name: str, timeout_s: float) -> Any:
        line = self._lines.read(timeout_s, self._server.fileno() if self._server else None)
        answer = json.loads(line) if line else {}
        if "result" in answer:
            return answer["result"]
        # A client may see the end of its server before we do: what it says then is only that.
        if self._server and select.select([self._server], [], [], SERVER_END_S)[0]:
            self._process.kill()  # it would wait for a server that is gone
            raise GeneratorError(f"{self._server.last_words()} during '{name}'")
        if not line:
            raise GeneratorError(
                f"the TRex client ended or hung during '{name}' (exit code {self._process.poll()}): see {self._log}"
            )
        raise GeneratorError(f"TRex refused '{name}': {answer['error']}")


def _hex(frames: Sequence[SentFrame]) -> list[dict[str, Any]]:
    return [{"port": f.port, "hex": f.frame.hex()} for f in frames]


def _captured(answer: list[dict[str, Any]]) -> tuple[CapturedFrame, ...]:
    return tuple(CapturedFrame(port=p["port"], time_s=p["time_s"], frame=bytes.fromhex(p["hex"])) for p in answer)
