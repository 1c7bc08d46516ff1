"""Workload ``ipv4-routing``: n QGMs route between NIC ports, destinations random; the machine of the talk.

Each core owns the ports p with p % cores = core. A packet for another core's port crosses the ring of the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lab.simulation import accesses, native
from lab.simulation.caps import caps_pps
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, default
from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.scene import Scene
from lab.simulation.workload import qgm
from lab.simulation.workload.board import Board
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.nic import Nics
from lab.simulation.workload.nic_pace import pace
from lab.simulation.workload.qgm_nics import NicPorts
from lab.simulation.workload.qgm_plan import PASSED, RECEIVED
from lab.simulation.workload.qgm_state import MAX_CORES
from lab.simulation.workload.timing import cycle_ps, range_bytes

MAX_PORTS = 16
PROBE_PORTS = 4
PROBE_PS = 60_000_000
SLOW = frozenset({"nic_port", "card", "card_tx", "card_tx_single", "device"})  # what would slow one core down


@dataclass(frozen=True)
class Ipv4Routing:
    """The workload; see the module.

    Attributes:
        limit: frames that arrive at each port, then it falls silent; 0 for no limit.
        description: of what a turn accesses; None for that of the image.

    """

    limit: int = 0
    description: accesses.Description | None = None

    name: str = field(default="ipv4-routing", init=False)
    title: str = field(default="n cores route IPv4 between NIC ports, random destinations", init=False)

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene: cores, then the receiving and the sending half of each port.

        Raises:
            SimulationError: cores without a port, too many of either, or a layout for fewer.
            UsageError: the machine has no NICs, not so many cores or no such placement.

        """
        machine.needs_ports(case.ports, case.line_rate_gbps, f"workload {self.name!r}")
        machine.needs(("doorbell", "pcie_read"), f"workload {self.name!r}")
        if not 1 <= case.cores <= min(MAX_CORES, case.ports) or case.ports > MAX_PORTS:
            raise SimulationError(
                f"{self.name}: {case.cores} cores for {case.ports} ports: each core needs a port, and there can be at "
                f"most {MAX_CORES} cores and {MAX_PORTS} ports"
            )
        if case.variant:
            raise SimulationError(f"{self.name}: there is no variant {case.variant!r}: leave it out")
        scene, memory, nics = self._scene(machine, numbers, case, layout, window, self._work_ps(machine, numbers, case))
        return Built(
            scene=scene,
            word_names=memory.names(),
            counting=tuple(range(case.cores)),
            done=PASSED,
            unit="packets",
            caps_pps=caps_pps(numbers, case.ports, machine.ports_per_card, case.line_rate_gbps, case.frame_size_bytes),
            cpu_pps=case.cores * numbers["clock"] * 1e9 / numbers["work"],
            meters=nics.meters(),
        )

    def _work_ps(self, machine: Machine, numbers: Numbers, case: Case) -> int:
        """Return the work with which one core without sharing takes the drawn cycles a packet, accesses included."""
        work_ps = int(numbers["work"] * cycle_ps(numbers))
        alone = Case(cores=1, ports=PROBE_PORTS, queue_length=case.queue_length, batch=case.batch)
        window = Window(seed=1, warm_ps=PROBE_PS // 4, end_ps=PROBE_PS)
        fast = {name: value for name, value in numbers.items() if name not in SLOW}
        scene, *_ = replace(self, limit=0)._scene(machine, fast, alone, default("padded", 1), window, work_ps)
        spent_ps = (window.end_ps - window.warm_ps) / max(native.simulate(scene).window(0, RECEIVED), 1)
        return max(2 * work_ps - int(spent_ps), 1)

    def _scene(
        self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window, work_ps: int
    ) -> tuple[Scene, Memory, Nics]:
        """Return the scene, its memory and its NICs."""
        memory = Memory()
        board = Board.of(machine, numbers, case)
        plan = qgm.plan(
            memory, self.description or accesses.load(), layout, case, numbers, board.timing, window, work_ps
        )
        nics = Nics(memory, pace(numbers, case), case.ports, machine.ports_per_card, case.queue_length, queues=1)
        owned = [list(range(core, case.ports, case.cores)) for core in range(case.cores)]
        agents = qgm.agents(memory, plan, owned, [NicPorts(nics, ports) for ports in owned])
        owners = [port % case.cores for port in range(case.ports)]
        devices = [(nics.receivers(self.limit), owners), (nics.senders(), owners)]
        return board.scene(agents, devices, memory.lines(range_bytes(numbers)), window), memory, nics
