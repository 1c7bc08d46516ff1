"""How many packets a second the cores of a machine forward, by simulation; it does not depend on the frame size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lab.simulation import native
from lab.simulation.caps import line_rate_pps
from lab.simulation.layout import Layout, default
from lab.simulation.machine import Machine
from lab.simulation.scene import JITTER_ONE, PS_PER_NS, Timing
from lab.simulation.workload import routing, virtio
from lab.simulation.workload.shape import Run, Shape, forwarded_pps

DRAWS_PER_SEED = 8
WARM_PS = 40_000_000
WINDOW_PS = 120_000_000
REFERENCE_SHARE = 20  # the plain-Python reference simulates this much less time
SMALLEST_FRAME_BYTES = 64
PROBE_WORK_CYCLES = 250
PROBE_PORTS = 4
ALL_WORDS = 64


@dataclass(frozen=True)
class Capacity:
    """One draw.

    Attributes:
        numbers: the drawn numbers of the machine.
        capacity_pps: packets a second that the cores forward.
        cpu_pps: what they would forward if no access cost more than on one core alone.

    """

    numbers: Mapping[str, float]
    capacity_pps: float
    cpu_pps: float


@dataclass(frozen=True)
class Setup:
    """What capacities depend on, besides the machine."""

    layout: Layout
    ports: int
    cores: int
    line_rate_gbps: float
    seeds: tuple[int, ...]


_cache: dict[tuple[Setup, str], tuple[Capacity, ...]] = {}


def capacities(machine: Machine, setup: Setup) -> tuple[Capacity, ...]:
    """Simulate a machine for every draw of its numbers; the same question is answered once a process.

    Raises:
        SimulationError: ports and cores do not fit together.

    """
    key = (setup, repr(machine))
    if key not in _cache:
        _cache[key] = tuple(
            _capacity(machine, setup, numbers, seed * DRAWS_PER_SEED + i)
            for seed in setup.seeds
            for i, numbers in enumerate(machine.draws(DRAWS_PER_SEED, seed))
        )
    return _cache[key]


def forget() -> None:
    """Drop what was simulated, so that the next question is simulated anew."""
    _cache.clear()


def _capacity(machine: Machine, setup: Setup, numbers: Mapping[str, float], seed: int) -> Capacity:
    cycle_ps = 1000 / numbers["clock"]
    window_ps = WINDOW_PS if native.available() else WINDOW_PS // REFERENCE_SHARE
    run = Run(
        timing(machine, numbers), seed, WARM_PS * window_ps // WINDOW_PS, (WARM_PS + WINDOW_PS) * window_ps // WINDOW_PS
    )
    packet_words = len(setup.layout.private_words("packet"))
    # How many words of an assumed layout a packet touches is as unknown as the layout: 1 to all of them, by the draw.
    touched = 1 + seed % max(packet_words, 1) if setup.layout.assumed else ALL_WORDS
    shape = Shape(
        ports=setup.ports,
        cores=setup.cores,
        sockets=machine.sockets,
        batch=int(numbers["batch"]),
        work_ps=int(numbers["work"] * cycle_ps),
        doorbell_ps=int(numbers.get("doorbell", 0) * PS_PER_NS),
        arrival_ps=int(1e12 / line_rate_pps(setup.line_rate_gbps, SMALLEST_FRAME_BYTES)),
        near_ps=max(int(numbers["near"] * PS_PER_NS) - run.timing.locked_ps, 0),
        far_ps=max(int(numbers.get("far", numbers["near"]) * PS_PER_NS) - run.timing.locked_ps, 0),
        touched=touched,
        range_bytes=64 if numbers["pair"] < 0.5 else 128,
    )
    cpu_pps = setup.cores * numbers["clock"] * 1e9 / numbers["work"]
    if not machine.has_nics:
        scene = virtio.scene(shape, setup.layout, run)
    else:
        shape = replace(shape, work_ps=private_work_ps(shape, run, numbers["work"], cycle_ps))
        scene = routing.scene(shape, setup.layout, run)
    return Capacity(numbers, forwarded_pps(scene, native.simulate(scene), setup.cores), cpu_pps)


def private_work_ps(shape: Shape, run: Run, cycles: float, cycle_ps: float) -> int:
    """Return the work to simulate so that one core without sharing takes ``cycles`` a packet, accesses included."""
    probe_work_ps = int(PROBE_WORK_CYCLES * cycle_ps)
    alone = replace(shape, ports=PROBE_PORTS, cores=1, sockets=1, work_ps=probe_work_ps)
    scene = routing.scene(alone, default("padded", 1), run)
    accesses_ps = 1e12 / forwarded_pps(scene, native.simulate(scene), 1) - probe_work_ps
    return max(int(cycles * cycle_ps - accesses_ps), 1)


def timing(machine: Machine, numbers: Mapping[str, float]) -> Timing:
    """Turn one draw of a machine's numbers into the kernel's integers (picoseconds, 1/1024)."""
    cycle_ps = 1000 / numbers["clock"]
    window_ps = numbers["window"] * cycle_ps
    return Timing(
        l1_ps=int(numbers["l1"] * cycle_ps),
        issue_ps=int(cycle_ps),
        shared_cache_ps=int(numbers["shared_cache"] * cycle_ps),
        commit_ps=int(cycle_ps),
        locked_ps=int(numbers["locked"] * cycle_ps),
        hold_ps=int(numbers["hold"] * PS_PER_NS),
        window_ps=int(window_ps),
        overlap_ps=int(numbers["overlap"] * window_ps),
        concurrent_misses=int(numbers["misses"]),
        store_buffer_entries=int(numbers["store_buffer"]),
        jitter=int(numbers["jitter"] * JITTER_ONE),
        upgrade=int(numbers["upgrade"] * JITTER_ONE),
        protocol=machine.protocol,
    )
