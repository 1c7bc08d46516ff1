"""What the simulated machine says of a microbenchmark: the ratio of the layouts, before anybody has measured it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lab.microbench.model import Layout, Request
from lab.models import Model
from lab.simulation import native
from lab.simulation.capacity import DRAWS_PER_SEED, WARM_PS, WINDOW_PS, private_work_ps, timing
from lab.simulation.layout import Layout as Table
from lab.simulation.machine import Machine, Range
from lab.simulation.scene import PS_PER_NS
from lab.simulation.workload import message_ring, routing
from lab.simulation.workload.message_ring import RingShape
from lab.simulation.workload.shape import Run, Shape, forwarded_pps

SEEDS = (1, 2, 3, 4, 5)
QUANTILES = (0.05, 0.5, 0.95)
PAUSE_CYCLES = 63  # of this project's test host; 40 to 140 on others, which the ratio hardly feels
RING_WORK = Range(5, 10, 20, "cycles", "prior: instructions to put or take a message, no access included")


class Prediction(Model):
    """Ratio of the packed layout's rate to the padded one's: 5, 50, 95 % of the draws of what is not known exactly."""

    low: float
    median: float
    high: float


def predict(
    machine: Machine, tables: Mapping[Layout, Table], request: Request, cores: int, cycles_per_frame: float
) -> Prediction | None:
    """Simulate a benchmark with both layouts.

    Args:
        machine: model of the host, from facts measured now (lab.simulation.host).
        tables: of both layouts, from the image's manifests.
        request: the benchmark.
        cores: that take part.
        cycles_per_frame: of forwarding on one core alone, as measured; not used for rings.

    Returns:
        None for a benchmark that the simulator has no workload of (``tx``, ``matrix``).

    Raises:
        SimulationError: a layout does not fit the workload.

    """
    if request.bench == "ring":
        machine = replace(machine, ranges={**machine.ranges, "work": RING_WORK})
    elif request.bench == "forward":
        machine = machine.with_work(cycles_per_frame)
    else:
        return None
    ratios = []
    for seed in SEEDS:
        for i, numbers in enumerate(machine.draws(DRAWS_PER_SEED, seed)):
            run = Run(timing(machine, numbers), seed * DRAWS_PER_SEED + i, WARM_PS, WARM_PS + WINDOW_PS)
            rates = {name: _rate(table, request, cores, numbers, run) for name, table in tables.items()}
            ratios.append(rates["packed"] / rates["padded"])
    low, median, high = (float(q) for q in np.quantile(ratios, QUANTILES))
    return Prediction(low=low, median=median, high=high)


def _rate(table: Table, request: Request, cores: int, numbers: Mapping[str, float], run: Run) -> float:
    """Return messages or frames a second of one draw."""
    cycle_ps = 1000 / numbers["clock"]
    transfer_ps = max(int(numbers["near"] * PS_PER_NS) - run.timing.locked_ps, 0)
    range_bytes = 64 if numbers["pair"] < 0.5 else 128
    work_ps = max(int(numbers["work"] * cycle_ps), 1)
    if request.bench == "ring":
        ring = RingShape(
            batch=request.batch,
            entries=request.queue_length,
            work_ps=work_ps,
            pause_ps=int(PAUSE_CYCLES * cycle_ps),
            transfer_ps=transfer_ps,
            range_bytes=range_bytes,
        )
        messages = native.simulate(message_ring.scene(ring, table, run)).window(1, message_ring.MESSAGES)
        return messages / ((run.end_ps - run.warm_ps) * 1e-12)
    shape = Shape(
        ports=cores,
        cores=cores,
        sockets=1,
        batch=request.batch,
        work_ps=work_ps,
        doorbell_ps=0,
        arrival_ps=work_ps // 2 + 1,  # a synthetic port always has frames
        near_ps=transfer_ps,
        far_ps=transfer_ps,
        touched=len(table.private_words("packet")),
        range_bytes=range_bytes,
    )
    shape = replace(shape, work_ps=private_work_ps(shape, run, numbers["work"], cycle_ps))
    scene = routing.scene(shape, table, run)
    return forwarded_pps(scene, native.simulate(scene), cores)
