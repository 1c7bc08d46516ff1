"""Captures whose frames go on to a sink while they run, and frames that come back from there."""

from __future__ import annotations

import zmq

from lab.errors import GeneratorError
from lab.vtrex import captures
from lab.vtrex import messages as m
from lab.vtrex.engine import Engine
from lab.vtrex.frames import ETHER_BYTES
from lab.vtrex.sinks import PairSink, Sink

BUFFERED_FRAMES = 4096
FRAMES_AT_ONCE = 500
PERIOD_S = 0.01


class Tap:
    """One capture and its sink."""

    def __init__(self, engine: Engine, state: m.CaptureState, sink: Sink, limit: int) -> None:
        """Move ``limit`` frames (0: all) of a capture to a sink."""
        self._engine = engine
        self.capture_id = state.id
        self.sink = sink
        self._left = limit or None

    def pump(self) -> bool:
        """Move what has come; tells whether more may be waiting.

        Raises:
            OSError: the sink takes no more; zmq.ZMQError and GeneratorError likewise end the tap.

        """
        if self._left == 0 or not self.sink.ready():
            return False
        wanted = FRAMES_AT_ONCE if self._left is None else min(FRAMES_AT_ONCE, self._left)
        frames, pending = captures.fetch(self._engine, self.capture_id, wanted, 0)
        if frames:
            self.sink.write(frames)
        if self._left is not None:
            self._left -= len(frames)
            if self._left == 0:
                captures.stop(self._engine, self.capture_id)
                return False
        return pending > 0

    def send_back(self, port_id: int) -> None:
        """Send on a port what the peer of a PAIR socket has sent here, one frame a message."""
        if not isinstance(self.sink, PairSink):
            return
        frames: list[bytes] = []
        try:
            while len(frames) < FRAMES_AT_ONCE:
                frames += self.sink.socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            pass
        frames = [frame.ljust(m.SHORTEST_FRAME_BYTES, b"\0") for frame in frames if len(frame) >= ETHER_BYTES]
        frames = [frame for frame in frames if len(frame) <= m.MAX_FRAME_BYTES]
        if frames:
            self._engine.push(port_id, frames, 0)


class Taps:
    """All taps of a server, by capture; those of a port also send what comes back."""

    def __init__(self, engine: Engine) -> None:
        """Begin with none."""
        self._engine = engine
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._taps: dict[int, tuple[Tap, int | None]] = {}

    @property
    def any(self) -> bool:
        """Whether there is something to pump every PERIOD_S."""
        return bool(self._taps)

    def add(self, state: m.CaptureState, sink: Sink, limit: int = 0, back_to: int | None = None) -> None:
        """Tap a capture; ``back_to`` is the port on which to send what the sink's peer sends."""
        self._taps[state.id] = (Tap(self._engine, state, sink, limit), back_to)

    def pump(self) -> bool:
        """Move frames of all taps, once; tells whether more may be waiting. A tap that fails is ended."""
        more = False
        for capture_id, (tap, back_to) in list(self._taps.items()):
            try:
                more = tap.pump() or more
                if back_to is not None:
                    tap.send_back(back_to)
            except (OSError, zmq.ZMQError, GeneratorError):
                self.end(capture_id)
        return more

    def replace(self, capture_id: int, state: m.CaptureState) -> None:
        """Let another capture take the place of one, with its sink."""
        tap, back_to = self._taps.pop(capture_id)
        self.add(state, tap.sink, back_to=back_to)

    def flush(self, capture_id: int) -> None:
        """Move what a stopped capture still holds, if its sink takes it."""
        tap, _ = self._taps.get(capture_id, (None, None))
        try:
            while tap is not None and tap.pump():
                pass
        except (OSError, zmq.ZMQError, GeneratorError):
            pass
        self.end(capture_id)

    def end(self, capture_id: int) -> None:
        """Close a tap's sink; nothing to do when the capture has none."""
        tap, _ = self._taps.pop(capture_id, (None, None))
        if tap is not None:
            tap.sink.close()

    def close(self) -> None:
        """End all taps."""
        for capture_id in list(self._taps):
            self.end(capture_id)
        self.context.term()
