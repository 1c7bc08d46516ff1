"""What the simulated machine says of a microbenchmark: the ratio of the layouts, before anybody has measured it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from lab.microbench.model import Bench, Layout, Request
from lab.simulation.layout import Layout as Table
from lab.simulation.machine import Machine, Range
from lab.simulation.prediction import Question
from lab.simulation.prediction.model import Band
from lab.simulation.prediction.predictor import samples
from lab.simulation.prediction.quantiles import band
from lab.simulation.workload.case import Case

WORKLOADS: dict[Bench, tuple[str, str]] = {
    "ring": ("message-ring", "ring"),
    "matrix": ("message-ring", "matrix"),
    "tx": ("virtio-tx", ""),
    "forward": ("forward", ""),
}
"""Workload and variant of each benchmark."""

MESSAGE_WORK = Range(5, 10, 20, "cycles", "prior: instructions to put or take a message, no access included")
FRAME_BITS = 8 * (64 + 20)
ARRIVALS = 2.0  # frames that arrive at a synthetic port for each that its core could forward: it always has some


def predict(
    machine: Machine, tables: Mapping[Layout, Table], request: Request, cores: int, cycles_per_frame: float
) -> Band:
    """Simulate a benchmark with both layouts, on the same draws.

    Args:
        machine: model of the host, from facts measured now (lab.simulation.host).
        tables: of both layouts, from the image's manifests.
        request: the benchmark.
        cores: that take part.
        cycles_per_frame: of forwarding on one core alone, as measured; of no use to the others.

    Returns:
        The rate of the packed layout over that of the padded one.

    Raises:
        SimulationError: a layout does not fit the workload.

    """
    workload, variant = WORKLOADS[request.bench]
    if request.bench == "forward":
        machine = machine.with_work(cycles_per_frame).with_free_ports(cores, math.inf)
    else:
        machine = replace(machine, ranges={**machine.ranges, "work": MESSAGE_WORK})
    case = Case(
        ports=cores,
        cores=cores,
        line_rate_gbps=ARRIVALS * machine.ranges["clock"].high / machine.ranges["work"].low * FRAME_BITS,
        queue_length=request.queue_length,
        batch=request.batch,
        variant=variant,
    )
    found = {name: samples(Question(machine, workload, table, case)) for name, table in tables.items()}
    pairs = zip(found["packed"], found["padded"], strict=True)
    return band([packed.rate_pps / padded.rate_pps for packed, padded in pairs])
