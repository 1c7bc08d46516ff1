"""The generator of a testbed on which trials are computed: nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence

from lab.errors import GeneratorError
from lab.traffic.models import CapturedFrame, GeneratorInfo, SentFrame, Stream, TrafficResult


class NoGenerator:
    """A TrafficGenerator (lab.traffic.protocol) that says who it is, and refuses to send."""

    def __init__(self, ports: int, speed_gbps: float) -> None:
        """Describe its ports."""
        self._info = GeneratorInfo(
            version="1", mode="computed", client="computed", ports=ports, speed_gbps=speed_gbps, watches_itself=True
        )

    def info(self) -> GeneratorInfo:
        """Return who generates."""
        return self._info

    def run(self, streams: Sequence[Stream], duration_s: float, *, residual_s: float = 0.0) -> TrafficResult:
        """Refuse.

        Raises:
            GeneratorError: always.

        """
        raise GeneratorError("trials of this testbed are computed: no stream can be sent")

    def exchange(
        self, frames: Sequence[SentFrame], capture_ports: Sequence[int], *, wait_s: float = 0.3, expect: int = 0
    ) -> tuple[CapturedFrame, ...]:
        """Refuse, as ``run`` does."""
        raise GeneratorError("trials of this testbed are computed: no frame can be sent")

    def close(self) -> None:
        """Do nothing: nothing was opened."""
