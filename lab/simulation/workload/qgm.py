"""Simulated QGMs: their programs, one for each core of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab.simulation.accesses import Description
from lab.simulation.layout import Layout
from lab.simulation.memory import Memory
from lab.simulation.scene import Agent, Timing
from lab.simulation.workload import qgm_receive, qgm_rings, qgm_transmit, qgm_words
from lab.simulation.workload.built import Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.qgm_plan import Device, Plan, Rings
from lab.simulation.workload.qgm_state import Private
from lab.simulation.workload.qgm_writer import BlockWriter, Writer
from lab.simulation.workload.timing import cycle_ps

BLOCKS = {**qgm_receive.BLOCKS, **qgm_rings.BLOCKS, **qgm_transmit.BLOCKS}
PAUSE_CYCLES = 40  # prior: pause takes about 10 cycles on Sandy Bridge and Haswell, 40 to 65 on Zen, 140 since Skylake


def plan(
    memory: Memory,
    description: Description,
    layout: Layout,
    case: Case,
    numbers: Numbers,
    timing: Timing,
    window: Window,
    work_ps: int,
) -> Plan:
    """Place what QGMs share, and return it; ``work_ps`` is the work a packet, accesses that hit included.

    Raises:
        SimulationError: the layout is for fewer cores or ports.

    """
    return Plan(
        description=description,
        words=qgm_words.place(memory, layout, description, case.cores, case.ports, window.seed),
        rings=Rings.place(memory, case.cores, case.queue_length),
        timing=timing,
        cores=case.cores,
        entries=case.queue_length,
        batch=case.batch,
        work_ps=work_ps,
        pause_ps=int(numbers.get("pause", PAUSE_CYCLES) * cycle_ps(numbers)),
    )


def agents(
    memory: Memory,
    plan: Plan,
    owned: Sequence[list[int]],
    devices: Sequence[Device],
    blocks: Mapping[str, BlockWriter] = BLOCKS,
) -> list[Agent]:
    """Return the agent of each core.

    Args:
        memory: for what is private to each.
        plan: of the scene.
        owned: ports of each core.
        devices: the queues of each core.
        blocks: what the loops and conditions of the description mean.

    """
    found = []
    for core, (ports, device) in enumerate(zip(owned, devices, strict=True)):
        private = Private.place(memory, len(ports), plan.cores, plan.batch)
        found.append(Agent(Writer(plan, core, ports, device, private, blocks).code()))
    return found
