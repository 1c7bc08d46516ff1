"""The serial console of a machine: characters in, characters out, and waiting for a text with a deadline."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lab.errors import DutError
from lab.machines.consoles.line import Line
from lab.machines.consoles.log import ConsoleLog
from lab.machines.consoles.stream import Connect, StreamLost
from lab.machines.deadline import Deadline

FIFO_BYTES = 16
"""What the receiver of a 16550 holds (PC16550D data sheet, FIFO control): a machine that is busy loses what is more."""

_ECHO_LIMIT_S = 0.1
_TAIL_LINES = 5
_RECENT_BYTES = 4096


class Console:
    """A console (lab.machines.protocol.ConsoleLink) on any byte stream.

    A thread of its own takes and logs what arrives, also while nobody reads.
    """

    def __init__(self, connect: Connect, log: Path, *, reconnect_s: float, burst_bytes: int | None = None) -> None:
        """Connect.

        Args:
            connect: makes the connection, now and again when it broke.
            log: what arrives is appended to it; see ConsoleLog.
            reconnect_s: how long after a break it is tried to connect again; 0: not at all.
            burst_bytes: at most so many characters are written before their echo, or 0.1 s; None: all at once, for a
                line that waits for its machine by itself.

        Raises:
            StreamLost: there is no connection.

        """
        self._burst_bytes = burst_bytes
        self._buffer = bytearray()
        self._recent = b""
        self._awaited_bytes = 0
        self._wanted = b""
        self._line = Line(connect, ConsoleLog(log), self._arrived, reconnect_s)

    def write(self, text: str) -> None:
        """Send characters (ASCII) to the machine, at the pace at which it takes them.

        Raises:
            DutError: the console is gone, or broke meanwhile: what arrived of the text is not known then.

        """
        data = text.encode("ascii")
        size = self._burst_bytes or len(data)
        for start in range(0, len(data), size):
            burst = data[start : start + size]
            with self._line.changed:
                self._awaited_bytes = len(burst)
            try:
                self._line.write(burst)
            except StreamLost as loss:
                raise DutError(
                    f"{text.strip()!r} could not be written: {loss}; the console's last lines: {self.tail()}"
                ) from loss
            if start + size < len(data):
                with self._line.changed:
                    self._line.changed.wait_for(lambda: self._awaited_bytes <= 0, _ECHO_LIMIT_S)

    def read_until(self, wanted: str, deadline: Deadline, alive: Callable[[], None] = lambda: None) -> str:
        """Return all that arrives up to and including a text.

        Args:
            wanted: the text to wait for.
            deadline: by when it must have come.
            alive: called about ten times a second while waiting; raises when waiting has become pointless.

        Raises:
            DutError: it did not come in time, or the console is gone; with the last lines that came.

        """
        mark = wanted.encode("ascii")
        losses = self._line.losses
        while (taken := self._take_until(mark, min(0.1, deadline.remaining_s))) is None:
            if self._line.gone:
                raise DutError(f"{self._line.gone}; its last lines: {self.tail()}")
            if deadline.passed:
                broken = " (the connection was lost meanwhile)" if self._line.losses > losses else ""
                raise DutError(
                    f"the console did not say {wanted.strip()!r} within {deadline.timeout_s:g} s{broken}; "
                    f"its last lines: {self.tail()}"
                )
            alive()
            self._line.check_silence()
        return taken.decode("ascii", "replace")

    def discard(self) -> None:
        """Forget what has arrived so far."""
        with self._line.changed:
            with suppress(StreamLost):  # the thread finds it, too, and connects again
                self._line.take()
            self._buffer.clear()

    def tail(self) -> str:
        """Return the last lines that arrived, on one line, for error messages."""
        lines = [line.strip() for line in self._recent.decode("ascii", "replace").splitlines() if line.strip()]
        return " | ".join(lines[-_TAIL_LINES:]) or "(none)"

    def close(self) -> None:
        """Close the connection; the machine goes on. May be called twice."""
        self._line.close()

    def _take_until(self, mark: bytes, timeout_s: float) -> bytes | None:
        """Wait for a text and take all up to its end out of the buffer; None where it has not come."""
        with self._line.changed:
            self._wanted = mark
            if mark not in self._buffer and not self._line.gone:
                self._line.changed.wait(timeout_s)
            self._wanted = b""
            end = self._buffer.find(mark)
            if end < 0:
                return None
            taken = bytes(self._buffer[: end + len(mark)])
            del self._buffer[: len(taken)]
            return taken

    def _arrived(self, data: bytes) -> None:
        """Keep what arrived, and wake who waits for it; only then: characters may come one at a time."""
        searched = max(0, len(self._buffer) - len(self._wanted))
        self._buffer += data
        self._recent = (self._recent + data)[-_RECENT_BYTES:]
        echoed = 0 < self._awaited_bytes <= len(data)
        self._awaited_bytes -= len(data)
        if echoed or (self._wanted and self._buffer.find(self._wanted, searched) >= 0):
            self._line.changed.notify_all()
