"""What a prediction says, with its interval and all that went into it."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from lab.models import Model
from lab.simulation.workload.case import Case


class Band(Model):
    """5, 50 and 95 % of what is predicted."""

    low: float
    median: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.median <= self.high:
            raise ValueError(f"{self}: must be low <= median <= high")
        return self


class StructureCost(Model):
    """What one structure costs: coherence misses of an operation, and how much faster it would be without sharing.

    ``gain_pps`` is the rate with each of its elements alone in its lines, less the rate as it is; None where it is
    alone already.
    """

    structure: str
    misses_per_operation: Band
    gain_pps: Band | None = None


class Parameter(Model):
    """A number that went in, as known, and where it comes from."""

    value: float | str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    source: str = Field(min_length=1)


class Prediction(Model):
    """What is predicted of a machine, a workload and a layout.

    ``rate_pps`` counts operations (``unit``) a second, all cores together. ``latency_us`` is by percentile ("50", "99"
    ...), empty where the workload has none. ``frozen`` is the digest of the calibrated parameters, None for priors
    alone.
    """

    machine: str
    workload: str
    layout: str
    case: Case
    unit: str
    rate_pps: Band
    limited_by: str
    latency_us: dict[str, Band] = Field(default_factory=dict)
    structures: tuple[StructureCost, ...] = ()
    parameters: dict[str, Parameter]
    frozen: str | None = None
    draws: int = Field(ge=1)
    model_version: str
