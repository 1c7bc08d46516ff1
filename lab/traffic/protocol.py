"""The capability that measurements need of a traffic generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lab.traffic.models import CapturedFrame, GeneratorInfo, SentFrame, Stream, TrafficResult


class TrafficGenerator(Protocol):
    """A generator with numbered ports. Every call raises GeneratorError with one line when the generator fails."""

    def info(self) -> GeneratorInfo:
        """Return who generates."""
        ...

    def run(self, streams: Sequence[Stream], duration_s: float, *, residual_s: float = 0.0) -> TrafficResult:
        """Send the streams, wait until the counters have settled, and return them.

        Streams without a number of frames end after ``duration_s``; the others, which end by themselves, are to take
        about as long. Frames that are under way then are waited for at least ``residual_s``.
        """
        ...

    def exchange(
        self, frames: Sequence[SentFrame], capture_ports: Sequence[int], *, wait_s: float = 0.3, expect: int = 0
    ) -> tuple[CapturedFrame, ...]:
        """Send single frames and return what arrives at ``capture_ports`` within ``wait_s``.

        Returns early once ``expect`` frames have arrived (0: wait for the whole time).
        """
        ...

    def close(self) -> None:
        """Release the ports and end the session. May be called twice."""
        ...
