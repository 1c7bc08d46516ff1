"""Two cores that hand one word back and forth with CAS: the microbenchmark whose answer is known."""

from __future__ import annotations

from lab.simulation.layout import Layout
from lab.simulation.machine import Machine
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import Agent, Scene, Timing
from lab.simulation.workload.built import Built, Numbers, Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.pair import place

EXCHANGES = 0  # statistic: successful exchanges
DONE, EXPECTED, OTHER = range(3)


class PingPong:
    """The workload ``ping-pong``; an exchange takes the one-way latency."""

    name = "ping-pong"
    title = "two cores exchange one word by CAS: an exchange takes the one-way core-to-core latency"

    def build(self, machine: Machine, numbers: Numbers, case: Case, layout: Layout, window: Window) -> Built:
        """Build the scene; the layout plays no part.

        Raises:
            SimulationError: the machine has no such placement.

        """
        memory = Memory()
        memory.allocate(1, 8, "ball")
        return Built(
            scene=place(machine, numbers, case.placement).scene((_returner(0), _returner(1)), memory, window),
            word_names=memory.names(),
            counting=(0, 1),
            done=EXCHANGES,
            unit="exchanges",
            caps_pps={},
        )


def ping_pong(timing: Timing, one_way_ps: int, seed: int, end_ps: int) -> Scene:
    """Return two cores, of two sockets, that play; the check of the kernel is made with it.

    Args:
        timing: times of the cores.
        one_way_ps: cache-to-cache transfer as a ping-pong measures it: half a round trip, locked instruction included.
        seed: of the jitter.
        end_ps: when to stop.

    """
    transfer = max(one_way_ps - timing.locked_ps, 0)
    return Scene(
        agents=(Agent(_returner(0)), Agent(_returner(1), socket=1)),
        timing=timing,
        transfer_ps=((0, transfer), (transfer, 0)),
        word_lines=(0,),
        seed=seed,
        warm_ps=end_ps // 10,
        end_ps=end_ps,
    )


def _returner(mine: int) -> Code:
    """Wait by CAS for the word to be mine, and give it to the other."""
    program = Assembler()
    program.emit(Op.MOVI, EXPECTED, mine)
    program.emit(Op.MOVI, OTHER, 1 - mine)
    program.label("again")
    program.emit(Op.CAS, DONE, 0, EXPECTED)
    program.emit(Op.COUNT, EXCHANGES, DONE)
    program.emit(Op.JMP, c="again")
    return program.code()
