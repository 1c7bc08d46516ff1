"""The programs that QGMs are simulated by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lab.simulation.accesses import Description
from lab.simulation.memory import Memory
from lab.simulation.program import Op
from lab.simulation.workload import qgm, qgm_state
from lab.simulation.workload.board import Board
from lab.simulation.workload.case import Case
from lab.simulation.workload.qgm_writer import Writer
from lab.simulation.workload.virtqueue import Port, VirtioPorts
from tests.simulation.turns.programs import MACHINE, NUMBERS, WINDOW, Programs, Totals, layout_of, words_of
from tests.simulation.turns.qgm import Qgm


class AnyWay(VirtioPorts):
    """Queues of a QGM whose frames leave by any port of any core."""

    def route(self, writer: Writer) -> None:
        """Draw the core, and which of its ports."""
        writer.p.emit(Op.RAND, qgm_state.TARGET, writer.plan.cores)
        writer.p.emit(Op.RAND, qgm_state.QUEUE, writer.plan.cores)


class QgmPrograms(Programs):
    """QGMs with virtio ports, each of as many."""

    def __init__(
        self, description: Description, owners: dict[int, int], batch: int, length: int, posted: dict[int, int]
    ) -> None:
        """Build them as the workloads do, with the owner of each port, and frames given to it so far."""
        cores = len(set(owners.values()))
        memory = Memory()
        layout = layout_of(description, cores, len(owners), generic_cores=1)
        case = Case(ports=len(owners), cores=cores, batch=batch, queue_length=length)
        timing = Board.of(MACHINE, NUMBERS, case).timing
        plan = qgm.plan(memory, description, layout, case, NUMBERS, timing, WINDOW, work_ps=1)
        self._ports = [Port.place(memory, length) for _ in owners]
        self._arrived: Counter[int] = Counter()
        owned = [[port for port, owner in owners.items() if owner == core] for core in range(1, cores + 1)]
        devices = [AnyWay([self._ports[port] for port in mine], []) for mine in owned]
        agents = qgm.agents(memory, plan, owned, devices)
        super().__init__((agent.code for agent in agents), words_of(description, memory.names(), cores))
        for mine, core in zip(owned, self.cores, strict=True):
            first = qgm_state.registers(len(mine), cores).posted
            core.registers[first : first + len(mine)] = [posted[port] for port in mine]

    def turn(self, found: Qgm) -> Totals:
        """Return what the turn does that finds its QGM so; whatever it has sent before has left."""
        for port in found.ports:
            self._arrived[port] += len(found.received.get(port, ()))
            self.memory[self._ports[port].receive.used_index] = self._arrived[port]
            self.memory[self._ports[port].transmit.used_index] = found.transmit[port].posted
        return self.run(found.core, _draws(found))


def _draws(found: Qgm) -> Iterator[int]:
    """Yield core and port of the frames that are received, then the port of those that are taken from rings."""
    for port in found.ports:
        for frame in found.received.get(port, ()):
            owner = found.owners[frame.port]
            yield owner - 1
            yield [each for each, core in found.owners.items() if core == owner].index(frame.port)
    for frames in found.waiting.values():
        yield from (found.ports.index(frame.port) for frame in frames)
