"""Who supplies a line and which time counts: the table of docs/simulation.md, row by row."""

from dataclasses import replace

import pytest

from lab.simulation import native
from lab.simulation.errors import SimulationError
from lab.simulation.program import Assembler, Op
from lab.simulation.scene import FIRST_TOUCH, NEVER, Agent, Protocol, Scene
from tests.simulation.scenes import TIMING

STEP_PS = 10_000_000  # between two accesses: all is quiet when the next one begins
SHARED, HOME, REMOTE, MEMORY = 12_000, 30_000, 41_000, 70_000
MACHINE = replace(
    TIMING, jitter=0, overlap_ps=0, shared_cache_ps=SHARED, home_ps=HOME, remote_ps=REMOTE, memory_ps=MEMORY
)
Place = tuple[int, int]


def transfer_ps(holder: int, requester: int) -> int:
    """Each pair has a time of its own."""
    return 50_000 + 1000 * holder + 100 * requester


def last_ps(
    *steps: tuple[int, Op],
    places: tuple[Place, ...] = ((0, 0), (0, 0), (0, 0), (0, 0)),
    devices: tuple[int, ...] = (),
    home: int = FIRST_TOUCH,
    protocol: Protocol = Protocol.MESIF,
) -> int:
    """Let agents access the same word one after the other; return how long the last one waited for its line."""
    programs = [Assembler() for _ in places]
    for number, (agent, op) in enumerate(steps):
        programs[agent].emit(Op.MOVI, 0, (number + 1) * STEP_PS)
        programs[agent].emit(Op.TILL, 0)
        programs[agent].access(op, 1, 0)
        if agent not in devices:
            programs[agent].emit(Op.FENCE)
    for program in programs:
        program.emit(Op.HALT)
    crowd = tuple(
        Agent(program.code(), socket=place[0], complex=place[1], device=number in devices)
        for number, (program, place) in enumerate(zip(programs, places, strict=True))
    )
    count = range(len(crowd))
    scene = Scene(
        agents=crowd,
        timing=replace(MACHINE, protocol=protocol),
        transfer_ps=tuple(tuple(transfer_ps(holder, requester) for requester in count) for holder in count),
        word_lines=(0,),
        seed=1,
        warm_ps=0,
        end_ps=NEVER,
        line_homes=(home,),
    )
    agent, op = steps[-1]
    passed = native.simulate(scene).clocks_ps[agent] - len(steps) * STEP_PS
    after = 0 if agent in devices else MACHINE.issue_ps  # the fence
    return passed - after - (MACHINE.l1_ps if op is Op.LOAD else 0 if agent not in devices else MACHINE.issue_ps)


both = pytest.mark.parametrize("protocol", list(Protocol))


@both
@pytest.mark.parametrize("first", [Op.LOAD, Op.STORE])
@pytest.mark.parametrize("second", [Op.LOAD, Op.STORE])
def test_the_only_holder_supplies(first: Op, second: Op, protocol: Protocol) -> None:
    assert last_ps((1, first), (2, second), protocol=protocol) == transfer_ps(1, 2)


@both
@pytest.mark.parametrize(("home", "more_ps"), [(0, -HOME // 2), (1, HOME // 2), (2, HOME // 2)])
def test_between_sockets_a_request_goes_by_the_home(home: int, more_ps: int, protocol: Protocol) -> None:
    places = ((0, 0), (1, 0))
    found = last_ps((0, Op.STORE), (1, Op.LOAD), places=places, home=home, protocol=protocol)
    assert found == transfer_ps(0, 1) + more_ps


def test_the_home_is_that_of_the_first_who_asks() -> None:
    places = ((0, 0), (1, 0))
    assert last_ps((0, Op.STORE), (1, Op.STORE), places=places) == transfer_ps(0, 1) - HOME // 2
    assert last_ps((0, Op.STORE), (1, Op.STORE), (0, Op.STORE), places=places) == transfer_ps(1, 0) + HOME // 2


@both
def test_a_shared_line_comes_from_the_shared_cache_of_the_own_complex(protocol: Protocol) -> None:
    places = ((0, 0), (0, 1), (0, 0))
    assert last_ps((0, Op.STORE), (1, Op.LOAD), (2, Op.LOAD), places=places, protocol=protocol) == SHARED


@pytest.mark.parametrize(("protocol", "supplier"), [(Protocol.MESIF, 1), (Protocol.MOESI, 0)])
def test_a_line_shared_elsewhere_comes_from_the_forwarder_or_the_old_owner(protocol: Protocol, supplier: int) -> None:
    places = ((0, 0), (0, 1), (0, 2))
    found = last_ps((0, Op.STORE), (1, Op.LOAD), (2, Op.LOAD), places=places, protocol=protocol)
    assert found == transfer_ps(supplier, 2)


@both
def test_a_write_waits_for_the_last_of_those_who_share(protocol: Protocol) -> None:
    reads = ((0, Op.STORE), (1, Op.LOAD), (3, Op.LOAD))
    assert last_ps(*reads, (2, Op.STORE), protocol=protocol) == transfer_ps(3, 2)
    assert last_ps(*reads, (3, Op.STORE), protocol=protocol) == transfer_ps(1, 3)  # an upgrade


@both
@pytest.mark.parametrize(("home", "more_ps"), [(FIRST_TOUCH, 0), (0, 0), (1, REMOTE)])
def test_a_line_that_nobody_has_comes_from_memory(home: int, more_ps: int, protocol: Protocol) -> None:
    assert last_ps((0, Op.LOAD), home=home, protocol=protocol) == MEMORY + more_ps


@pytest.mark.parametrize(
    ("reader", "expected_ps"),
    [((0, 0), SHARED), ((1, 0), SHARED + REMOTE), ((0, 1), MEMORY)],
    ids=["same shared cache", "other socket", "device without DDIO"],
)
@both
def test_what_a_device_wrote_is_in_its_shared_cache(reader: Place, expected_ps: int, protocol: Protocol) -> None:
    found = last_ps((0, Op.STORE), (1, Op.LOAD), places=((0, 0), reader), devices=(0,), protocol=protocol)
    assert found == expected_ps


def test_a_device_writes_into_the_shared_cache_and_invalidates() -> None:
    assert last_ps((0, Op.STORE), devices=(0,)) == SHARED
    assert last_ps((1, Op.STORE), (0, Op.STORE), devices=(0,)) == transfer_ps(1, 0)
    assert last_ps((1, Op.STORE), (0, Op.STORE), (1, Op.LOAD), devices=(0,)) == SHARED


def test_memory_that_was_touched_before_comes_from_the_shared_cache() -> None:
    assert TIMING.memory_ps is None
    assert TIMING.from_memory_ps == TIMING.shared_cache_ps


@pytest.mark.parametrize("homes", [(0, 0), (-2,)])
def test_homes_that_are_not_those_of_the_lines_are_refused(homes: tuple[int, ...]) -> None:
    program = Assembler()
    program.emit(Op.HALT)
    scene = Scene((Agent(program.code()),), TIMING, ((0,),), (0,), 1, 0, NEVER, line_homes=homes)
    with pytest.raises(SimulationError, match="line_homes"):
        native.simulate(scene)
