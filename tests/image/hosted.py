"""Ring 3 of the image as a process of this host (hostlib/hosted): the commands and frames of a booted machine.

It is built under the address and undefined-behaviour sanitizers, and ends with a report when they find something. Time
passes only when somebody waits, so that nothing here takes as long as it says.
"""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SUPPRESSIONS = Path(__file__).parent / "hostlib" / "counters.supp"
SANITIZERS = {"TSAN_OPTIONS": f"suppressions={SUPPRESSIONS}:history_size=7"}  # enough to know who read before
TSC_HZ = 1_000_000_000
STEP_S = 0.01  # how long a wait for a frame goes on before the QGMs look again
SETTLE_TURNS = 6
REST_S = 16  # longer than a neighbour is asked for in vain, and then the one who is to be told
THREADS_SETTLE_S = 0.01


class HostedMachine:
    """One such process. A context manager. With threads, each QGM polls in its own; else they take turns as told."""

    def __init__(
        self, program: Path, cores: int = 2, ports: int = 2, *, queue_length: int = 256, threads: bool = False
    ) -> None:
        """Start it with so many cores, the generic one counted, and descriptors in each queue of a port."""
        self._qgms = list(range(1, cores))
        self._left: list[deque[bytes]] = [deque() for _ in range(ports)]
        self._threads = threads
        self._report = program.parent / f"report-{id(self):x}"
        command = [str(program), str(cores - 1), str(ports), str(queue_length), *["threads"] * threads]
        with self._report.open("wb") as report:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=report, env=os.environ | SANITIZERS
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process; raises AssertionError if it ended by itself."""
        streams = [stream for stream in (self._process.stdin, self._process.stdout) if stream]
        for stream in streams:
            stream.close()
        if self._process.wait(timeout=60):
            raise AssertionError(self._report.read_text()[-6000:])

    def _ask(self, request: bytes, size: int) -> bytes:
        """Send a request and return so many bytes of its answer."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(request)
            self._process.stdin.flush()
            answer = self._process.stdout.read(size)
        except BrokenPipeError:
            answer = b""
        if len(answer) != size:
            self._process.wait(timeout=60)
            raise AssertionError(self._report.read_text()[-6000:])
        return answer

    def command(self, line: str) -> list[str]:
        """Run a command, once the frames that arrived before have been seen to, and return its output lines."""
        self.settle()
        text = line.encode()
        (size,) = struct.unpack("<I", self._ask(b"C" + struct.pack("<H", len(text)) + text, 4))
        return self._ask(b"", size).decode().splitlines()

    def take_route_file(self, text: bytes) -> None:
        """Give it this route file, instead of the one that it had."""
        self._ask(b"R" + struct.pack("<H", len(text)) + text, 1)

    def ok(self, line: str) -> None:
        """Run a command that has to say nothing but ok."""
        answer = self.command(line)
        assert answer == ["ok"], f"{line}: {answer}"

    def objects(self, line: str) -> list[dict[str, Any]]:
        """Run a listing command with `json` and return its objects."""
        return [json.loads(text) for text in self.command(f"{line} json")]

    def send(self, port: int, frame: bytes, queue: int = 0) -> bool:
        """Have a frame arrive at a port; returns whether its queue had room."""
        return self._ask(b"F" + struct.pack("<BBH", port, queue, len(frame)) + frame, 1) == b"\1"

    def pour(self, flows: list[tuple[int, bytes]], offset: int, count: int) -> None:
        """Have so many frames of each flow (port, frame) arrive in turns, with their numbers at the offset."""
        parts = [struct.pack("<BBH", port, 0, len(frame)) + frame for port, frame in flows]
        head = struct.pack("<HIH", len(flows), count, offset)
        (whole,) = struct.unpack("<I", self._ask(b"P" + head + b"".join(parts), 4))
        assert whole == len(flows), f"{len(flows) - whole} of {len(flows)} flows were not taken whole"

    def rest(self) -> None:
        """Let time pass until the last neighbour that was asked for has answered or been given up."""
        for _ in range(REST_S):
            self.advance(1.0)
            self.settle()

    def lost_buffers(self) -> int:
        """Return how many buffers are in no pool, queue or waiting room while there is nothing to do."""
        lost: int = struct.unpack("<i", self._ask(b"B", 4))[0]
        return lost

    def turn(self, cores: list[int]) -> None:
        """Let QGMs take turns of their loops in this order; then what they have sent leaves."""
        self._ask(b"T" + struct.pack("<H", len(cores)) + bytes(cores), 1)

    def shuffle(self, seed: int) -> None:
        """Let the cards give descriptors back in a random order and late; with 0 in order and at once."""
        self._ask(b"S" + struct.pack("<Q", seed), 1)

    def advance(self, duration_s: float) -> None:
        """Let time pass; nobody looks at what it brings yet."""
        self._ask(b"A" + struct.pack("<Q", int(duration_s * TSC_HZ)), 1)

    def settle(self, chance: random.Random | None = None) -> None:
        """Let the QGMs do what there is to do, in a random order if wanted."""
        if self._threads:
            time.sleep(THREADS_SETTLE_S)
        for _ in range(SETTLE_TURNS):
            order = self._qgms * 2
            if chance:
                chance.shuffle(order)
            self.turn(order)

    def left(self) -> list[list[bytes]]:
        """Return the frames that have left each port since the last time, in their order, and forget them."""
        self._collect()
        frames = [list(queue) for queue in self._left]
        for queue in self._left:
            queue.clear()
        return frames

    def _collect(self) -> None:
        (count,) = struct.unpack("<I", self._ask(b"G", 4))
        for _ in range(count):
            port, _, size = struct.unpack("<BBH", self._ask(b"", 4))
            self._left[port].append(self._ask(b"", size))

    def receive(self, port: int, timeout_s: float = 5.0) -> bytes:
        """Return the next frame that left a port; raises TimeoutError if none comes in that time of the machine."""
        for _ in range(int(timeout_s / STEP_S) + 1):
            if not self._left[port]:
                self.settle()
                self._collect()
            if self._left[port]:
                return self._left[port].popleft()
            self.advance(STEP_S)
        raise TimeoutError(f"no frame left port {port} within {timeout_s} s")

    def is_silent(self, port: int, duration_s: float = 0.3) -> bool:
        """Return whether no frame leaves a port for a while."""
        try:
            self._left[port].appendleft(self.receive(port, duration_s))
        except TimeoutError:
            return True
        return False
