"""Where captured frames go as they come: a file of the server's machine, or a ZeroMQ socket that a client has bound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import zmq

from lab.vtrex.captures import CapturedFrame
from lab.vtrex.pcap_records import FORMATS, header, piece
from lab.vtrex.rpc import refuse

QUEUED_MESSAGES = 10_000


class Sink(Protocol):
    """Takes frames."""

    def ready(self) -> bool:
        """Tell whether frames would be taken now."""

    def write(self, frames: Sequence[CapturedFrame]) -> None:
        """Take frames; raises OSError or zmq.ZMQError when it cannot any more."""

    def close(self) -> None:
        """Let go of what was opened."""


class FileSink:
    """A new file in pcap or pcapng; nothing that is there already is overwritten."""

    def __init__(self, path: str) -> None:
        """Create the file.

        Raises:
            RpcError: it is there already or cannot be made.

        """
        self._kind = "pcap" if path.endswith(".pcap") else "pcapng"
        try:
            self._file: BinaryIO = Path(path).open("xb")  # noqa: SIM115 - open as long as the capture runs
        except (OSError, ValueError) as error:
            raise refuse(f"captures cannot be written to '{path}': {error}; name a file that does not exist") from None
        self._file.write(header(self._kind))

    def ready(self) -> bool:
        """Files always are."""
        return True

    def write(self, frames: Sequence[CapturedFrame]) -> None:
        """Write frames out."""
        self._file.write(b"".join(piece(self._kind, frame) for frame in frames))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class PairSink:
    """A PAIR socket that the client has bound; a message is a frame or, with ``kind``, a piece of a capture file."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str, kind: str | None = None) -> None:
        """Begin to connect to ``endpoint`` (tcp:// or ipc://).

        Raises:
            RpcError: no such address can be.

        """
        if not endpoint.startswith(("tcp://", "ipc://")):
            raise refuse(f"endpoint '{endpoint}' is none of tcp://HOST:PORT, ipc://PATH")
        if kind is not None and kind not in FORMATS:
            raise refuse(f"format '{kind}' of the endpoint is none of {', '.join(FORMATS)}")
        self._kind = kind
        self._begun = kind is None
        self.socket: zmq.Socket[bytes] = context.socket(zmq.PAIR)
        self.socket.setsockopt(zmq.SNDHWM, QUEUED_MESSAGES)
        try:
            self.socket.connect(endpoint)
        except (zmq.ZMQError, ValueError, UnicodeError) as error:
            self.close()
            raise refuse(f"endpoint '{endpoint}' cannot be used: {error}") from None

    def ready(self) -> bool:
        """Tell whether the peer is there and takes messages."""
        return bool(int(self.socket.getsockopt(zmq.EVENTS)) & zmq.POLLOUT)

    def write(self, frames: Sequence[CapturedFrame]) -> None:
        """Send frames; those that find the queue to a slow peer full are lost."""
        try:
            if not self._begun and self._kind is not None:
                self.socket.send(header(self._kind), zmq.NOBLOCK)
                self._begun = True
            for frame in frames:
                message = frame.data if self._kind is None else piece(self._kind, frame)
                self.socket.send(message, zmq.NOBLOCK)
        except zmq.Again:
            return

    def close(self) -> None:
        """Close the socket; what the peer has not taken within a moment is lost."""
        self.socket.close(linger=200)


def open_sink(context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> Sink:
    """Open what TRex calls an endpoint: ``file:///PATH``, or ``tcp://HOST:PORT?FORMAT``, ``ipc://PATH?FORMAT``.

    Raises:
        RpcError: it cannot be opened.

    """
    scheme, separator, rest = endpoint.partition("://")
    if scheme == "file" and separator:
        return FileSink(rest)
    address, _, kind = endpoint.partition("?")
    return PairSink(context, address, kind or FORMATS[0])
