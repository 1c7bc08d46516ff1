"""The serial console of a machine: bytes in, bytes out, and waiting for a text with a deadline."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from pathlib import Path

from lab.errors import DutError
from lab.machines.deadline import Deadline

_TAIL_LINES = 5


class Console:
    """A console on a unix socket. What arrived and was not yet taken stays in a buffer."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._buffer = b""
        self._recent = b""

    def write(self, text: str) -> None:
        """Send characters (ASCII) to the machine."""
        try:
            self._socket.sendall(text.encode("ascii"))
        except OSError as error:
            raise DutError(f"the console is gone ({error}); its last lines: {self.tail()}") from error

    def read_until(self, wanted: str, deadline: Deadline, alive: Callable[[], None] = lambda: None) -> str:
        """Return all that arrives up to and including a text.

        Args:
            wanted: the text to wait for.
            deadline: by when it must have come.
            alive: called about ten times a second while waiting; raises when waiting has become pointless.

        Raises:
            DutError: it did not come in time, or the console was closed; with the last lines that came.

        """
        mark = wanted.encode("ascii")
        while mark not in self._buffer:
            if deadline.passed:
                raise DutError(
                    f"the console did not say {wanted.strip()!r} within {deadline.timeout_s:g} s; "
                    f"its last lines: {self.tail()}"
                )
            if not self._fill(min(0.1, deadline.remaining_s)):
                alive()
        end = self._buffer.index(mark) + len(mark)
        taken, self._buffer = self._buffer[:end], self._buffer[end:]
        return taken.decode("ascii", "replace")

    def discard(self) -> None:
        """Forget what has arrived so far."""
        while self._fill(0.0):
            pass
        self._buffer = b""

    def tail(self) -> str:
        """Return the last lines that arrived, on one line, for error messages."""
        lines = [line.strip() for line in self._recent.decode("ascii", "replace").splitlines() if line.strip()]
        return " | ".join(lines[-_TAIL_LINES:]) or "(none)"

    def close(self) -> None:
        """Close the connection; the machine goes on."""
        self._socket.close()

    def _fill(self, timeout_s: float) -> bool:
        """Wait for bytes; returns whether some came."""
        if self._socket.fileno() < 0:
            raise DutError(f"the console has been closed; its last lines: {self.tail()}")
        if not select.select([self._socket], [], [], timeout_s)[0]:
            return False
        try:
            data = self._socket.recv(65536)
        except OSError as error:
            raise DutError(f"the console is gone ({error}); its last lines: {self.tail()}") from error
        if not data:
            raise DutError(f"the machine closed its console; its last lines: {self.tail()}")
        self._buffer += data
        self._recent = (self._recent + data)[-4096:]
        return True
