"""The forwarding workloads as the catalogue has them: routing between NICs, and between virtio ports."""

from __future__ import annotations

from dataclasses import replace

from lab.simulation import native
from lab.simulation.caps import caps_pps, line_rate_pps
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, default
from lab.simulation.machine import Machine
from lab.simulation.scene import PS_PER_NS, Scene
from lab.simulation.workload import routing, virtio
from lab.simulation.workload import shape as s
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.shape import RING_ENTRIES, Run, Shape, forwarded_pps
from lab.simulation.workload.timing import cycle_ps, range_bytes, timing, transfer_ps

SMALLEST_FRAME_BYTES = 64  # with which the cores are simulated: caps of the frame size bound the rate afterwards
PROBE_WORK_CYCLES = 250
PROBE_PORTS = 4
ALL_WORDS = 64


class Routing:
    """``ipv4-routing``."""

    name = "ipv4-routing"
    title = "n QGMs between NICs, random destinations, an inter-core ring for each (producer, consumer)"

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene of one draw.

        The private work is what is left of the cycles a packet of *one* core without sharing.

        Raises:
            SimulationError: the case does not fit.
            UsageError: the machine has no such network cards.

        """
        machine.needs_ports(case.ports, case.line_rate_gbps, "workload 'ipv4-routing'")
        shape, run = _shape(machine, numbers, case, layout, window), _run(machine, numbers, window)
        shape = replace(shape, work_ps=_private_work_ps(shape, run, numbers))
        return _built(machine, numbers, case, routing.scene(shape, layout, run))


class Virtio:
    """``virtio``."""

    name = "virtio"
    title = "QGMs between virtio ports in pairs; the other side of every ring is the generator's core"

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene of one draw; raises SimulationError as above."""
        shape, run = _shape(machine, numbers, case, layout, window), _run(machine, numbers, window)
        return _built(machine, numbers, case, virtio.scene(shape, layout, run))


def _shape(machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Shape:
    """Turn numbers and case into the shape that both workloads are made from."""
    if case.offered_pps is not None or case.queue_length != RING_ENTRIES:
        raise SimulationError(f"forwarding: only rings of {RING_ENTRIES} entries under full load can be simulated")
    locked_ps = int(numbers["locked"] * cycle_ps(numbers))
    words = len(layout.private_words("packet"))
    return Shape(
        ports=case.ports,
        cores=case.cores,
        sockets=machine.sockets,
        batch=case.batch,
        work_ps=int(numbers["work"] * cycle_ps(numbers)),
        doorbell_ps=int(numbers.get("doorbell", 0) * PS_PER_NS),
        arrival_ps=int(1e12 / line_rate_pps(case.line_rate_gbps, SMALLEST_FRAME_BYTES)),
        near_ps=transfer_ps(numbers, "near", locked_ps),
        far_ps=transfer_ps(numbers, "far" if "far" in numbers else "near", locked_ps),
        # How many words of an assumed layout a packet touches is as unknown as the layout: 1 to all, by the draw.
        touched=1 + window.seed % max(words, 1) if layout.assumed else ALL_WORDS,
        range_bytes=range_bytes(numbers),
    )


def _run(machine: Machine, numbers: Numbers, window: Window) -> Run:
    return Run(timing(machine, numbers), window.seed, window.warm_ps, window.end_ps)


def _built(machine: Machine, numbers: Numbers, case: Case, scene: Scene) -> Built:
    return Built(
        scene=scene,
        word_names=("",) * len(scene.word_lines),
        counting=tuple(range(case.cores)),
        done=s.FORWARDED,
        unit="packets",
        caps_pps=caps_pps(numbers, case.ports, machine.ports_per_card, case.line_rate_gbps, case.frame_size_bytes),
        cpu_pps=case.cores * numbers["clock"] * 1e9 / numbers["work"],
    )


def _private_work_ps(shape: Shape, run: Run, numbers: Numbers) -> int:
    """Return the work to simulate so that one core without sharing takes the drawn cycles, accesses included."""
    cycle = cycle_ps(numbers)
    probe_work_ps = int(PROBE_WORK_CYCLES * cycle)
    alone = replace(shape, ports=PROBE_PORTS, cores=1, sockets=1, work_ps=probe_work_ps)
    scene = routing.scene(alone, default("padded", 1), run)
    accesses_ps = 1e12 / forwarded_pps(scene, native.simulate(scene), 1) - probe_work_ps
    return max(int(numbers["work"] * cycle - accesses_ps), 1)
