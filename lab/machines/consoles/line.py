"""A serial line for the whole of a run: a thread reads it all the time, logs it, and connects again when it breaks."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from lab.errors import LabError
from lab.machines.consoles.log import ConsoleLog
from lab.machines.consoles.stream import ByteStream, Connect, StreamLost
from lab.machines.deadline import Deadline

_PAUSE_S = 0.3  # between attempts to connect
# A console server whose line is in use lets everybody in and hangs up: such a connection has not been had again.
_STABLE_S = 2.0
_SILENCE_S = 10.0


class Line:
    """A byte stream that outlives its connections.

    Invariants: ``changed`` guards all that is public here and all reading; it is notified when ``connected`` or
    ``gone`` change. ``_sending`` is held while writing and while a connection is put away, so that nobody writes to a
    descriptor that is already another's; whoever takes both takes ``_sending`` first.
    """

    def __init__(self, connect: Connect, log: ConsoleLog, arrived: Callable[[bytes], None], reconnect_s: float) -> None:
        """Connect.

        Args:
            connect: makes the connection, each time, in the thread that reads it.
            log: gets all that arrives; is closed with the line.
            arrived: is handed all that arrives, with ``changed`` held.
            reconnect_s: how long after a break it is tried to connect again; 0: not at all.

        Raises:
            StreamLost: there is no connection.
            LabError: what ``connect`` raises besides.

        """
        self.changed = threading.Condition()
        self.losses = 0
        self.gone = ""
        self._connect = connect
        self._log = log
        self._arrived = arrived
        self._reconnect_s = reconnect_s
        self._limit = Deadline(0)
        self._sending = threading.Lock()
        self._stream: ByteStream | None = None
        self._stable_at_s = 0.0  # monotonic, as the two below
        self._heard_at_s = time.monotonic()
        self._closing = False
        self._wake, self._waker = os.pipe()
        connected: Future[None] = Future()
        self._thread = threading.Thread(target=self._keep, args=(connected,), name="console", daemon=True)
        self._thread.start()
        try:
            connected.result()
        except BaseException:
            self.close()
            raise

    def take(self) -> None:
        """Read what has come, without waiting; ``changed`` is held. StreamLost when the connection broke."""
        if self._stream is None:
            return
        data = self._stream.read()
        if data:
            self._heard_at_s = time.monotonic()
            self._log.write(data)
            self._arrived(data)

    def write(self, data: bytes) -> None:
        """Hand over bytes, to the next connection when there is none now; StreamLost where it broke meanwhile."""
        with self.changed:
            self.changed.wait_for(lambda: self._stream is not None or self.gone)
        with self._sending:
            if self._stream is None:
                raise StreamLost(self.gone or "the connection broke")
            self._stream.write(data)

    def check_silence(self) -> None:
        """Look after a connection that has been silent for long, and may be dead without a sign."""
        if time.monotonic() - self._heard_at_s > _SILENCE_S:
            self._heard_at_s = time.monotonic()
            with self._sending:
                if self._stream is not None:
                    self._stream.check()

    def close(self) -> None:
        """End it, after what has come is in the log; an attempt to connect is waited for. May be called twice."""
        if self._closing:
            return
        self._closing = True
        os.write(self._waker, b"!")
        self._thread.join()
        self._log.close()
        os.close(self._wake)
        os.close(self._waker)

    def _keep(self, connected: Future[None]) -> None:
        """Read for as long as there is a connection or hope of one (the thread)."""
        try:
            self._stream = self._connect(self._log.mark)
        except BaseException as error:
            connected.set_exception(error)
            return
        self._stable_at_s = time.monotonic() + _STABLE_S
        connected.set_result(None)
        try:
            while not (self._closing or self.gone):
                reason = self._read_on()
                self._put_away()
                if not self._closing:
                    self._connect_again(reason)
        except LabError as error:  # of the log
            self._end(str(error))
        finally:
            self._put_away()
            self._end("the console has been closed" if self._closing else "the thread that reads the console failed")

    def _read_on(self) -> str:
        """Read until the connection breaks, and return why; or until ``close``, and all that has come is read."""
        assert self._stream is not None, "there is a connection, or it is gone for good"
        try:
            while not self._closing:
                self._wait_readable(self._stream.fileno())
                with self.changed:
                    self.take()
        except StreamLost as loss:
            return str(loss)
        return "closed"

    def _wait_readable(self, descriptor: int, timeout_s: float | None = None) -> None:
        """Wait for bytes, for the end of the connection, or for ``close``."""
        ready = select.poll()
        ready.register(self._wake, select.POLLIN)
        if descriptor >= 0:
            ready.register(descriptor, select.POLLIN)
        ready.poll(None if timeout_s is None else timeout_s * 1e3)

    def _put_away(self) -> None:
        with self._sending, self.changed:
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _connect_again(self, reason: str) -> None:
        """Connect until it works or the time is over; what fails soon after counts as not having worked."""
        stable = time.monotonic() >= self._stable_at_s
        if stable or self.losses == 0:
            self._limit = Deadline(self._reconnect_s)
        self.losses += 1
        self._log.mark(f"the connection is lost: {reason}")
        if not (stable or self._limit.passed):
            self._wait_readable(-1, _PAUSE_S)
        while not (self._closing or self._limit.passed):
            try:
                stream = self._connect(self._log.mark)
            except (StreamLost, LabError, OSError) as error:
                reason = str(error)
                self._wait_readable(-1, _PAUSE_S)
                continue
            self._log.mark("connected again")
            self._stable_at_s = time.monotonic() + _STABLE_S
            with self.changed:
                self._stream = stream
                self.changed.notify_all()
            return
        again = f", and cannot be had again within {self._reconnect_s:g} s" if self._reconnect_s else ""
        self._end(f"the console is gone{again}: {reason}")
        self._log.mark(self.gone)

    def _end(self, why: str) -> None:
        with self.changed:
            self.gone = self.gone or why
            self.changed.notify_all()
