"""Lines from a pipe, with a time limit."""

from __future__ import annotations

import os
import selectors
import time
from typing import IO


class LineReader:
    """Reads lines from an unbuffered binary stream; what came after a line is kept for the next call."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        """Bind to a pipe.

        Raises:
            ValueError: there is none.

        """
        if stream is None:
            raise ValueError("the process was started without a pipe")
        self._fd = stream.fileno()
        self._buffer = b""

    def read(self, timeout_s: float, unless: int | None = None) -> str:
        """Return the next line without its line feed, or '' when none is complete in time or the stream ends.

        Waiting ends as well when the descriptor ``unless`` becomes readable, as that of a process does that has ended.
        """
        deadline_s = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._fd, selectors.EVENT_READ)
            if unless is not None:
                selector.register(unless, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                ready = selector.select(max(0.0, deadline_s - time.monotonic()))
                if self._fd not in [key.fd for key, _ in ready]:
                    return ""
                piece = os.read(self._fd, 1 << 16)
                if not piece:
                    return ""
                self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace")
