"""The log of a console: each line with the time at which it began to arrive."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

from lab.errors import LabError
from lab.machines.consoles.stream import reason_of

# A line that is dead or has the wrong rate brings any bytes: the log stays a text that every tool can read.
_UNPRINTABLE = re.compile(rb"[^\t\n\x20-\x7e]")


class ConsoleLog:
    r"""A file that only grows. A line is ``1700000000.123456 text``: Unix time in s, and what came.

    Carriage returns are left out, other bytes that are no printable ASCII are written ``\xNN``. Nothing is held back:
    the file has at any time all that has come. Several may write to one file, one after the other.
    """

    def __init__(self, path: Path) -> None:
        """Open a file of an existing folder for more."""
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._within_line = False
        self._writing = threading.Lock()

    def write(self, data: bytes) -> None:
        """Write what came; LabError where that cannot be."""
        stamp = f"{time.time():.6f} ".encode()
        text = _UNPRINTABLE.sub(lambda byte: b"\\x%02x" % byte[0][0], data.replace(b"\r", b""))
        with self._writing:
            for line in text.splitlines(keepends=True):
                try:
                    self._file.write(line if self._within_line else stamp + line)
                except OSError as error:
                    raise LabError(f"the console's log {self._path} cannot be written: {reason_of(error)}") from error
                self._within_line = not line.endswith(b"\n")

    def mark(self, remark: str) -> None:
        """Write a remark of the lab, on a line of its own."""
        self._end_line()
        self.write(f"[lab: {remark}]\n".encode())

    def close(self) -> None:
        """End the last line and close the file. May be called twice."""
        if not self._file.closed:
            self._end_line()
            self._file.close()

    def _end_line(self) -> None:
        if self._within_line:
            self.write(b"\n")
