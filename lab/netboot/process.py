"""A program that serves, and whose lines tell what it does: read as they come, stamped, and passed on."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence

from lab.errors import LabError
from lab.process import dying_with_parent

_START_LIMIT_S = 5.0


class ServingProcess:
    """The program and the thread that reads its standard error."""

    def __init__(self, name: str, command: Sequence[str], ready: str, read: Callable[[str, float], None]) -> None:
        """Start it and wait until it serves.

        Args:
            name: for errors.
            command: what to run.
            ready: text in the line that it says once it serves.
            read: gets each line and the Unix time that it came at, in a thread of its own.

        Raises:
            LabError: it did not start; with what it said last.

        """
        self._name, self._ready, self._read = name, ready, read
        self._last = "it said nothing"
        self._started = threading.Event()
        self.ready_line = ""
        """The line that told that it serves."""
        self._process = subprocess.Popen(
            dying_with_parent(command),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read_lines, name=name, daemon=True)
        self._reader.start()
        if not self._started.wait(_START_LIMIT_S) or not self.ready_line:
            self.close()
            raise LabError(f"{name} did not start: {self._last}")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def obituary(self) -> str:
        """Say that it has ended, with what it said last; empty while it runs."""
        return "" if self._process.poll() is None else f"{self._name} ended in the middle of the run: {self._last}"

    def close(self) -> None:
        """End it. May be called twice."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read_lines(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._last = line.strip() or self._last
            self._read(line.rstrip(), time.time())
            if self._ready in line and not self.ready_line:
                self.ready_line = line.rstrip()
                self._started.set()
        self._started.set()  # it has ended: there is nothing to wait for
