"""Simulated baselines: what a machine should forward with an image, with false sharing on and off."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lab.errors import UsageError
from lab.simulation import layout as layouts
from lab.simulation import machines
from lab.simulation.capacity import Capacity, Setup, capacities
from lab.simulation.caps import caps_pps
from lab.simulation.facts import HostFacts
from lab.simulation.machine import Machine, host
from lab.simulation.version import MODEL_VERSION as MODEL_VERSION  # for importers of this module as well

QUANTILES = (0.05, 0.5, 0.95)
COHERENCE_SHARE = 0.8  # below this share of what the work alone allows, coherence is what limits


class BaselineQuery(BaseModel):
    """A question.

    Attributes:
        machine: "host" (this machine, as measured) or a name or path for lab.simulation.machines.load.
        layout: "padded" (false sharing off) or "packed" (on).
        frame_size_bytes: with FCS.
        ports: network ports.
        cores: QGMs.
        line_rate_gbps: of each port.
        cycles_per_packet: work of the forwarding path, measured on one core without sharing; None: prior 100..250.
        image_elf: the image, whose manifest beside it has the layout; None: the documented default layout.
        host: what was measured of the host; needed for "host".
        seeds: each gives its own draws of the numbers that are not known exactly.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: str
    layout: layouts.LayoutName
    frame_size_bytes: int = Field(ge=64)
    ports: int = Field(ge=1)
    cores: int = Field(ge=1)
    line_rate_gbps: float = Field(gt=0)
    cycles_per_packet: float | None = Field(default=None, gt=0)
    image_elf: Path | None = None
    host: HostFacts | None = None
    seeds: tuple[int, ...] = Field(default=(1, 2, 3, 4, 5), min_length=1)


class Parameter(BaseModel):
    """A number that went into a baseline, and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    source: str


class Baseline(BaseModel):
    """An answer: frames a second summed over ports, one-directional, as the receiver sees them.

    Attributes:
        machine: as asked.
        layout: as asked.
        frame_size_bytes: as asked.
        throughput_pps_low: 5 % of the draws lie below.
        throughput_pps_median: the median of the draws.
        throughput_pps_high: 5 % of the draws lie above.
        limited_by: what limits most draws: "line rate", "pcie", "nic", "cpu" or "coherence".
        parameters: what went in, by name.
        model_version: changes whenever the model does.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: str
    layout: layouts.LayoutName
    frame_size_bytes: int
    throughput_pps_low: float
    throughput_pps_median: float
    throughput_pps_high: float
    limited_by: str
    parameters: dict[str, Parameter]
    model_version: str


def predict(query: BaselineQuery) -> Baseline:
    """Simulate and return the baseline. Simulations that differ in the frame size only are run once a process.

    Raises:
        UsageError: a "host" baseline without host facts, or an image whose manifest is wrong.
        SimulationError: ports and cores do not fit together.

    """
    machine = _machine(query)
    layout = layouts.of_image(query.image_elf, query.layout, query.cores)
    setup = Setup(layout, query.ports, query.cores, query.line_rate_gbps, query.seeds)
    outcomes = [_limit(machine, query, draw) for draw in capacities(machine, setup)]
    low, median, high = (float(q) for q in np.quantile([pps for pps, _ in outcomes], QUANTILES))
    return Baseline(
        machine=query.machine,
        layout=query.layout,
        frame_size_bytes=query.frame_size_bytes,
        throughput_pps_low=low,
        throughput_pps_median=median,
        throughput_pps_high=high,
        limited_by=Counter(name for _, name in outcomes).most_common(1)[0][0],
        parameters=_parameters(machine, layout, query),
        model_version=MODEL_VERSION,
    )


def _machine(query: BaselineQuery) -> Machine:
    if query.machine != "host":
        machine = machines.load(query.machine)
    elif query.host is None:
        raise UsageError(
            'a baseline of machine "host" needs host facts: measure them with lab.simulation.host.measure()'
        )
    else:
        machine = host(query.host)
    return machine if query.cycles_per_packet is None else machine.with_work(query.cycles_per_packet)


def _limit(machine: Machine, query: BaselineQuery, draw: Capacity) -> tuple[float, str]:
    """Return the throughput of one draw in frames a second, and what limits it."""
    cores = "coherence" if draw.capacity_pps < COHERENCE_SHARE * draw.cpu_pps else "cpu"
    caps = caps_pps(draw.numbers, query.ports, machine.ports_per_card, query.line_rate_gbps, query.frame_size_bytes)
    limits = {**caps, cores: draw.capacity_pps}
    name = min(limits, key=lambda each: limits[each])
    return limits[name], name


def _parameters(machine: Machine, layout: layouts.Layout, query: BaselineQuery) -> dict[str, Parameter]:
    parameters = {
        name: Parameter(value=each.median, low=each.low, high=each.high, unit=each.unit, source=each.source)
        for name, each in machine.ranges.items()
    }
    parameters["layout"] = Parameter(value=layout.name, source=layout.source)
    words = len(layout.private_words("packet"))
    parameters["packet_words"] = Parameter(
        value=words,
        low=min(1, words) if layout.assumed else words,
        high=words,
        unit="words of a core",
        source=layout.source,
    )
    parameters["seeds"] = Parameter(value=", ".join(map(str, query.seeds)), source="query")
    return parameters
