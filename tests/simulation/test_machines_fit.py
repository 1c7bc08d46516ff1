"""Every machine that is described can be simulated, at the ends of its numbers too."""

import pytest

from lab.simulation import machines, native
from lab.simulation.program import Assembler, Op
from lab.simulation.scene import NEVER, Agent, Scene
from lab.simulation.workload.timing import timing


@pytest.mark.parametrize("name", machines.names())
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_machine_can_be_simulated(name: str, share: float) -> None:
    machine = machines.load(name)
    numbers = {number: each.quantile(share) for number, each in machine.ranges.items()}
    program = Assembler()
    program.access(Op.LOAD, 0, 0)
    program.emit(Op.HALT)
    scene = Scene((Agent(program.code()),), timing(machine, numbers), ((0,),), (0,), 1, 0, NEVER)
    assert native.simulate(scene).accesses == 1


def test_home_and_memory_come_from_the_machines_file() -> None:
    client, server = machines.load("i7-4770k"), machines.load("xeon-8360yx2")
    medians = [{name: each.median for name, each in one.ranges.items()} for one in (client, server)]
    assert timing(client, medians[0]).from_memory_ps == 65_000
    assert timing(client, medians[0]).home_ps == 0
    assert timing(server, medians[1]).home_ps == 3000
    assert timing(server, medians[1]).memory_ps is None
