"""Workload ``virtio``: QGMs forward between virtio ports in pairs, with the generator's core behind all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.simulation import accesses
from lab.simulation.caps import line_rate_pps
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout
from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.scene import Agent
from lab.simulation.workload import generator, qgm
from lab.simulation.workload.board import Board
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.generator import Load
from lab.simulation.workload.qgm_plan import BUSY_PS, PASSED
from lab.simulation.workload.timing import cycle_ps, range_bytes
from lab.simulation.workload.virtqueue import Port, VirtioPorts


@dataclass(frozen=True)
class Virtio:
    """The workload; see the module. Ports 2n and 2n + 1 belong to one core, and frames leave by the other of the two.

    Attributes:
        limit: frames offered at each port, then it falls silent; 0 for no limit.
        description: of what a turn accesses; None for that of the image.

    """

    limit: int = 0
    description: accesses.Description | None = None

    name: str = field(default="virtio", init=False)
    title: str = field(default="QGMs forward between pairs of virtio ports", init=False)

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene; the generator's core is the agent behind the QGMs.

        Raises:
            SimulationError: cores without a pair of ports, or a layout for fewer.
            UsageError: the machine has not so many cores and one for the generator, or no such placement.

        """
        _check(case)
        memory = Memory()
        board = Board.of(machine, numbers, case.model_copy(update={"cores": case.cores + 1}))
        work_ps = int(numbers["work"] * cycle_ps(numbers))  # the transfers from and to the generator come on top
        plan = qgm.plan(
            memory, self.description or accesses.load(), layout, case, numbers, board.timing, window, work_ps
        )
        ports = [Port.place(memory, case.queue_length) for _ in range(case.ports)]
        owned = [[port for port in range(case.ports) if port // 2 % case.cores == core] for core in range(case.cores)]
        devices = [
            VirtioPorts([ports[port] for port in mine], [_way_out(mine, port) for port in mine]) for mine in owned
        ]
        agents = qgm.agents(memory, plan, owned, devices)
        spacing_ps = None if case.offered_pps is None else int(1e12 * case.ports / case.offered_pps)
        load = Load(spacing_ps, self.limit, case.batch, case.burst)
        agents.append(Agent(generator.program(ports, load, case.queue_length)))
        return Built(
            scene=board.scene(agents, [], memory.lines(range_bytes(numbers)), window),
            word_names=memory.names(),
            counting=tuple(range(case.cores)),
            done=PASSED,
            busy_ps=BUSY_PS,
            unit="packets",
            caps_pps={"line rate": case.ports * line_rate_pps(case.line_rate_gbps, case.frame_size_bytes)},
            cpu_pps=case.cores * numbers["clock"] * 1e9 / numbers["work"],
        )


def _check(case: Case) -> None:
    if case.ports > generator.MAX_PORTS or case.cores > (case.ports + 1) // 2:
        raise SimulationError(
            f"virtio: {case.cores} cores for {case.ports} ports: each core needs a pair of ports, and there can be at "
            f"most {generator.MAX_PORTS}"
        )
    if case.variant:
        raise SimulationError(f"virtio: there is no variant {case.variant!r}: leave it out")


def _way_out(mine: list[int], port: int) -> int:
    """Return the position of the port's partner among those of its core; its own if it has none."""
    return mine.index(port ^ 1 if port ^ 1 in mine else port)
