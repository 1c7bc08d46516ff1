"""What a console needs of its connection: a stream of bytes that never blocks a reader and tells when it broke."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable
from typing import Protocol

from lab.machines.deadline import Deadline

WRITE_LIMIT_S = 10.0

Mark = Callable[[str], None]
"""Writes a remark of the lab into the console's log."""


class StreamLost(Exception):
    """A connection broke or cannot be made; the text is the reason, a clause without a full stop."""


class ByteStream(Protocol):
    """A connection to a serial line. One thread reads, one writes; nobody uses it while or after it is closed."""

    def fileno(self) -> int:
        """Return what poll(2) finds readable when bytes have come or the connection broke."""
        ...

    def read(self) -> bytes:
        """Return what has come, without waiting; may be nothing. StreamLost when the connection broke."""
        ...

    def write(self, data: bytes) -> None:
        """Hand over all bytes; StreamLost when the connection broke or nothing was taken for ``WRITE_LIMIT_S``."""
        ...

    def check(self) -> None:
        """Look at a connection that may be dead without a sign: ``read`` tells afterwards. May take seconds."""
        ...

    def close(self) -> None:
        """End the connection; called once."""
        ...


Connect = Callable[[Mark], ByteStream]
"""Makes a connection; StreamLost where that cannot be. Told where to write remarks."""


class DescriptorStream:
    """A stream that is one file descriptor: a socket, a serial port, a pseudo-terminal. Owns and closes it."""

    def __init__(self, descriptor: int, ended: str = "the far end hung up") -> None:
        """Take over a descriptor; ``ended`` is the reason that is given at the end of the stream."""
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._ended = ended

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def read(self) -> bytes:
        """Return what has come."""
        try:
            data = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise StreamLost(reason_of(error)) from error
        if not data:
            raise StreamLost(self._ended)
        return data

    def write(self, data: bytes) -> None:
        """Hand over all bytes."""
        deadline = Deadline(WRITE_LIMIT_S)
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError as error:
                ready = select.poll()
                ready.register(self._descriptor, select.POLLOUT)
                if deadline.passed or not ready.poll(deadline.remaining_s * 1e3):
                    raise StreamLost(f"it took nothing for {WRITE_LIMIT_S:g} s") from error
            except OSError as error:
                raise StreamLost(reason_of(error)) from error

    def check(self) -> None:
        """Do nothing: the kernel watches this kind of connection."""

    def close(self) -> None:
        """Close the descriptor."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def reason_of(error: OSError) -> str:
    """Return what the system says of an error, as a clause."""
    return (error.strerror or str(error) or type(error).__name__).lower()
