"""What is asked of a workload, besides the machine and the layout."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from lab.models import Model

Placement = Literal["spread", "near", "complex", "far"]


class Case(Model):
    """One case of a workload; each workload takes what it knows and refuses what it cannot do.

    ``queue_length`` is that of every ring in entries (of descriptors and between cores), ``batch`` what a polling loop
    takes at most at once. ``offered_pps`` is what arrives at all ports together, None for as much as they bring.
    ``burst`` frames of a port are offered together, as a generator does that looks after several ports in turn.
    ``placement`` says where cores lie: evenly over the sockets (``spread``), or a pair in one core complex (``near``),
    in two of one socket (``complex``), in two sockets (``far``). ``variant`` names a kind of the workload that has
    several (an spsc ring: ``lamport``, ``cached``).
    """

    ports: int = Field(default=8, ge=1, le=64)
    cores: int = Field(default=8, ge=1, le=64)
    line_rate_gbps: float = Field(default=10.0, gt=0)
    frame_size_bytes: int = Field(default=64, ge=64, le=16_000)
    queue_length: int = Field(default=256, ge=2, le=65_536)
    batch: int = Field(default=32, ge=1, le=1024)
    offered_pps: float | None = Field(default=None, gt=0)
    burst: int = Field(default=1, ge=1, le=1024)
    placement: Placement = "spread"
    variant: str = ""

    @field_validator("queue_length")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError(f"queue_length {value}: rings have a power of two of entries")
        return value
