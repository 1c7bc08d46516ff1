"""Check 5: every packet is accounted for, and no more of them pass than the ports bring."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from lab.simulation import layout as layouts
from lab.simulation import native
from lab.simulation.caps import line_rate_pps
from lab.simulation.scene import Outcome
from lab.simulation.validation.check import Check
from lab.simulation.validation.random_scenes import random_timing
from lab.simulation.workload import routing
from lab.simulation.workload import shape as s
from lab.simulation.workload.shape import RING_ENTRIES, Run, Shape

DRAWS = 6
PACKETS_A_PORT = 60
RUNNING_PS = 30_000_000
DRAINED_PS = 300_000_000
LINE_PPS = line_rate_pps(10, 64)
LAYOUTS = ("default-padded", "default-packed", "fe-2016", "what-if-two-counters")


def conservation(draws: int = DRAWS) -> Check:
    """Forward random destinations on random machines in several layouts, with traffic that ends and that does not.

    Args:
        draws: machines and shapes.

    """
    problems = []
    for seed in range(draws):
        random = Random(seed)
        shape, run = _shape(random), Run(random_timing(random), seed, RUNNING_PS // 3, RUNNING_PS)
        for layout in LAYOUTS:
            made = layouts.load(layout, shape.cores)
            ended = routing.scene(replace(shape, limit=PACKETS_A_PORT), made, replace(run, end_ps=DRAINED_PS))
            found = _of_ended(shape, native.simulate(ended))
            found += _of_running(shape, native.simulate(routing.scene(shape, made, run)))
            problems += [f"draw {seed}, {layout}: {each}" for each in found]
    return Check(
        number=5,
        name="received = sent + dropped + in flight; never above line rate",
        holds=not problems,
        figure=f"{len(problems)} faults in {draws} random machines, {len(LAYOUTS)} layouts, running and drained",
        value=len(problems),
        relation="equal",
        limit=0,
        unit="faults",
        detail=tuple(problems[:5]),
    )


def _shape(random: Random) -> Shape:
    ports = random.randint(1, 8)
    return Shape(
        ports=ports,
        cores=random.randint(-(-ports // 2), ports),
        sockets=random.randint(1, 2),
        batch=random.choice((1, 8, 32, 64)),
        work_ps=random.randint(1_000, 100_000),
        doorbell_ps=random.randint(0, 110_000),
        arrival_ps=int(1e12 / LINE_PPS * random.choice((1, 1, 2, 5))),
        near_ps=random.randint(10_000, 50_000),
        far_ps=random.randint(50_000, 200_000),
        touched=random.randint(0, 3),
        range_bytes=random.choice((64, 128)),
    )


def _sums(shape: Shape, outcome: Outcome) -> tuple[list[int], list[int]]:
    """Return what the cores and what the ports counted, by statistic."""
    cores, ports = outcome.stats[: shape.cores], outcome.stats[shape.cores :]
    return [sum(column) for column in zip(*cores, strict=True)], [sum(column) for column in zip(*ports, strict=True)]


def _of_ended(shape: Shape, outcome: Outcome) -> list[str]:
    """All is exact once the ports have fallen silent."""
    core, port = _sums(shape, outcome)
    offered = shape.ports * PACKETS_A_PORT
    if port[s.OFFERED] != offered or port[s.DELIVERED] + port[s.LOST] != offered:
        return [f"{offered} packets offered, {port[s.DELIVERED]} delivered, {port[s.LOST]} lost"]
    if core[s.RECEIVED] != port[s.DELIVERED] or core[s.FORWARDED] + core[s.REFUSED] != core[s.RECEIVED]:
        return [f"{port[s.DELIVERED]} delivered, {core[s.RECEIVED]} received, {core[s.FORWARDED]} forwarded"]
    return []


def _of_running(shape: Shape, outcome: Outcome) -> list[str]:
    """What is in flight is in the rings, and the ports brought no more than line rate."""
    core, port = _sums(shape, outcome)
    problems = []
    taken = port[s.OFFERED] - port[s.DELIVERED] - port[s.LOST]
    if not 0 <= taken <= shape.ports:  # one a port is just being delivered
        problems.append(f"{taken} packets are neither delivered nor lost")
    waiting = port[s.DELIVERED] - core[s.RECEIVED]
    if not -shape.ports <= waiting <= shape.ports * RING_ENTRIES:
        problems.append(f"{waiting} packets in receive rings")
    crossing = core[s.RECEIVED] - core[s.FORWARDED] - core[s.REFUSED]
    if not 0 <= crossing <= shape.cores * (shape.cores * RING_ENTRIES + 1):
        problems.append(f"{crossing} packets in rings between cores")
    most = shape.ports * (int(RUNNING_PS * 1e-12 * LINE_PPS) + 1)
    if not core[s.FORWARDED] <= port[s.OFFERED] <= most:
        problems.append(f"{core[s.FORWARDED]} forwarded, {port[s.OFFERED]} offered, line rate brings {most}")
    return problems
