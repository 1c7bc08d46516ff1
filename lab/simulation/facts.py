"""What was measured of the host that a run takes place on."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class HostFacts(BaseModel):
    """Figures of this machine that a simulation needs.

    Attributes:
        tsc_hz: frequency of the time stamp counter, taken as the clock of the cores.
        c2c_latency_ns_low: one-way cache-to-cache transfer (half a CAS ping-pong), 10th percentile of many windows.
        c2c_latency_ns_median: its median.
        c2c_latency_ns_high: its 90th percentile.
        windows: how many windows were measured; 0 when the figures come from elsewhere.
        interrupted_windows: windows left out because a thread was taken off its CPU in them.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tsc_hz: float = Field(gt=1e6)
    c2c_latency_ns_low: float = Field(gt=0)
    c2c_latency_ns_median: float = Field(gt=0)
    c2c_latency_ns_high: float = Field(gt=0)
    windows: int = Field(default=0, ge=0)
    interrupted_windows: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.c2c_latency_ns_low <= self.c2c_latency_ns_median <= self.c2c_latency_ns_high:
            raise ValueError("the latencies must be ordered: low <= median <= high")
        return self
