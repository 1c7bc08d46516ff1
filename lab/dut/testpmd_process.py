"""A dpdk-testpmd process: started, told what to do at its prompt, ended.

What it does (forwarding in some mode, generating) is the options' and commands' business; see DPDK's "Testpmd
Application User Guide".
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.errors import DutError, LabError
from lab.machines.deadline import Deadline
from lab.process import dying_with_parent, on_core

PROGRAM = "dpdk-testpmd"
_PROMPT = "testpmd> "
_START_LIMIT_S = 30.0
_COMMAND_LIMIT_S = 10.0
_QUIT_LIMIT_S = 5.0
_WORKER = "rte-worker-"  # begin of the name of a forwarding lcore's thread

_COUNTED = re.compile(r"(?P<way>[RT])X-packets: (?P<frames>\d+)")


class TestpmdProcess:
    """A testpmd that is up and stands still until ``start``; a context manager."""

    __test__ = False  # not a test class, whatever its name begins with

    def __init__(self, eal: Sequence[str], options: Sequence[str], *, housekeeping_core: int, log: Path) -> None:
        """Start it and wait for its prompt.

        Args:
            eal: options of DPDK: lcores and devices.
            options: of testpmd; it is interactive in any case.
            housekeeping_core: host core of its main thread.
            log: file for all that it says.

        Raises:
            LabError: it is not installed, or does not start.

        """
        if shutil.which(PROGRAM) is None:
            raise LabError(f"{PROGRAM} is not installed: run 'apt-get install dpdk-dev'")
        self._log = log
        self._said = ""
        self._runtime = tempfile.mkdtemp(prefix="pixlab-testpmd-")  # DPDK leaves a lock and its configuration behind
        # Line by line: it writes prompts at once, and into a pipe all else only when a buffer is full.
        command = ["stdbuf", "--output=L", PROGRAM, *eal, "--", "--interactive", *options]
        self._process = subprocess.Popen(
            dying_with_parent(on_core(housekeeping_core, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "RUNTIME_DIRECTORY": self._runtime},
            bufsize=0,
        )
        try:
            self._check_start(self._read_prompt(_START_LIMIT_S))
        except BaseException:
            self.close()
            raise

    def _check_start(self, said: str) -> None:
        """Raise DutError when what it said up to its first prompt shows that something is missing."""

    def start(self) -> None:
        """Start what its mode is."""
        self.command("start")

    def stop(self) -> None:
        """Stop it; its lcore then sleeps."""
        self.command("stop")

    def counters(self) -> tuple[int, int]:
        """Return (frames sent, frames received) by all of its ports since it was started."""
        counts = {"T": 0, "R": 0}
        for found in _COUNTED.finditer(self.command("show port stats all")):
            counts[found["way"]] += int(found["frames"])
        return counts["T"], counts["R"]

    @property
    def forwarding_tid(self) -> int:
        """Thread id of the lcore that forwards."""
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            name = (task / "comm").read_text()
            if name.startswith(_WORKER):
                return int(task.name)
        raise DutError(f"{PROGRAM} has no forwarding thread: see {self._log}")

    def command(self, text: str) -> str:
        """Run one line on its prompt and return what it says, up to the next prompt.

        Raises:
            DutError: no prompt comes back in time, or it ended.

        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # then it has ended, and reading says so
            self._process.stdin.write(text.encode() + b"\n")
        return self._read_prompt(_COMMAND_LIMIT_S)

    def close(self) -> None:
        """End it. May be called twice."""
        if self._process.poll() is None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(b"quit\n")
            self._drain(_QUIT_LIMIT_S)
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        shutil.rmtree(self._runtime, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_prompt(self, limit_s: float) -> str:
        """Return what it says up to its prompt."""
        deadline = Deadline(limit_s)
        while _PROMPT not in self._said:
            if not self._more(deadline.remaining_s):
                end = f"ended with code {self._process.wait(1.0)}" if deadline.remaining_s > 0 else "does not answer"
                last = (self._said.strip().splitlines() or ["it said nothing"])[-1]
                raise DutError(f"{PROGRAM} {end}: {last} (see {self._log})")
        said, _, self._said = self._said.partition(_PROMPT)
        return said

    def _more(self, wait_s: float) -> bool:
        """Take what it has said; False when nothing came in time or it closed its output."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], max(0.0, wait_s))[0]:
            return False
        piece = os.read(self._process.stdout.fileno(), 1 << 16)
        with self._log.open("ab") as log:
            log.write(piece)
        self._said += piece.decode(errors="replace")
        return bool(piece)

    def _drain(self, limit_s: float) -> None:
        """Read until it closes its output, which it does at its end."""
        end_s = time.monotonic() + limit_s
        while self._more(end_s - time.monotonic()):
            pass
