"""A generator whose connection can be made anew, for all who hold it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from lab.traffic.models import CapturedFrame, GeneratorInfo, SentFrame, Stream, TrafficResult
from lab.traffic.protocol import TrafficGenerator

LINK_LIMIT_S = 10.0


class Connection(TrafficGenerator, Protocol):
    """A generator that is connected to by links which come up."""

    def await_links(self, limit_s: float) -> None:
        """Wait until the links of all ports are up; GeneratorError where one is down after ``limit_s``."""
        ...


class RestartableGenerator:
    """A TrafficGenerator (lab.traffic.protocol) that passes every call on to the present connection."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """Connect; ``connect`` is called again by ``reconnect``."""
        self._connect = connect
        self._present = connect()

    def reconnect(self) -> None:
        """Connect anew, after ``close``, and wait until all links are up.

        Raises:
            GeneratorError: there is no server, or a link stays down.

        """
        self._present = self._connect()
        self._present.await_links(LINK_LIMIT_S)

    def info(self) -> GeneratorInfo:
        """Return who generates."""
        return self._present.info()

    def run(self, streams: Sequence[Stream], duration_s: float, *, residual_s: float = 0.0) -> TrafficResult:
        """Send streams; see TrafficGenerator.run."""
        return self._present.run(streams, duration_s, residual_s=residual_s)

    def exchange(
        self, frames: Sequence[SentFrame], capture_ports: Sequence[int], *, wait_s: float = 0.3, expect: int = 0
    ) -> tuple[CapturedFrame, ...]:
        """Send single frames and return what arrives; see TrafficGenerator.exchange."""
        return self._present.exchange(frames, capture_ports, wait_s=wait_s, expect=expect)

    def close(self) -> None:
        """Release the ports and end the session. May be called twice."""
        self._present.close()
