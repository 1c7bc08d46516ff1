"""What a waiting load overlaps with lies between nothing (overlap_ps 0) and all that fits into the window."""

from dataclasses import replace

import pytest

from lab.simulation import native
from lab.simulation.errors import SimulationError
from lab.simulation.program import Assembler, Op
from lab.simulation.scene import NEVER, Agent, Outcome, Scene
from tests.simulation.scenes import TIMING

MISS_PS, L1_PS, ISSUE_PS = 60_000, TIMING.l1_ps, TIMING.issue_ps
WINDOW_PS = 100_000
CORE = replace(TIMING, jitter=0, shared_cache_ps=MISS_PS, window_ps=WINDOW_PS)
INDEX, SLOT = 0, 1  # words, each in a line of its own


def run(*instructions: tuple[Op, int, int, int], overlap_ps: int, concurrent_misses: int = 8) -> Outcome:
    program = Assembler()
    for op, a, b, c in instructions:
        program.emit(op, a, b, c)
    program.emit(Op.HALT)
    timing = replace(CORE, overlap_ps=overlap_ps, concurrent_misses=concurrent_misses)
    return native.simulate(Scene((Agent(program.code()),), timing, ((0,),), (0, 1, 2), 1, 0, NEVER))


def duration_ps(*instructions: tuple[Op, int, int, int], overlap_ps: int, concurrent_misses: int = 8) -> int:
    return run(*instructions, overlap_ps=overlap_ps, concurrent_misses=concurrent_misses).clocks_ps[0]


def hit_ps(overlap_ps: int) -> int:
    """Return what a load takes once its line is there; it overlaps with what follows as well."""
    return replace(CORE, overlap_ps=overlap_ps).hit_ps


TWO_LOADS = ((Op.LOAD, 0, INDEX, -1), (Op.LOAD, 1, SLOT, -1))


def test_blocking_loads_wait_one_after_the_other() -> None:
    assert duration_ps(*TWO_LOADS, overlap_ps=0) == 2 * (MISS_PS + L1_PS)


def test_fully_speculative_loads_wait_together() -> None:
    assert duration_ps(*TWO_LOADS, overlap_ps=WINDOW_PS) == MISS_PS + ISSUE_PS + 1


def test_work_behind_a_waiting_load_is_done_meanwhile_as_far_as_the_overlap_reaches() -> None:
    program = ((Op.LOAD, 0, INDEX, -1), (Op.WORK, 50_000, 0, 0))
    for overlap_ps in (0, 10_000, 40_000):
        expected = MISS_PS + hit_ps(overlap_ps) + 50_000 - overlap_ps
        assert duration_ps(*program, overlap_ps=overlap_ps) == expected
    assert duration_ps(*program, overlap_ps=WINDOW_PS) == MISS_PS + 2  # all of it, and time goes on


def test_more_overlap_is_never_slower_here() -> None:
    program = (*TWO_LOADS, (Op.WORK, 30_000, 0, 0), (Op.INC, 1, 2, -1), (Op.FENCE, 0, 0, 0))
    found = [duration_ps(*program, overlap_ps=overlap_ps) for overlap_ps in range(0, WINDOW_PS + 1, 10_000)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


@pytest.mark.parametrize("op", [Op.FENCE, Op.CAS])
def test_a_core_does_not_run_ahead_past_what_waits_for_everything(op: Op) -> None:
    program = (TWO_LOADS[0], (op, 1, 2, 0), TWO_LOADS[1])
    alone = (TWO_LOADS[0], (op, 1, 2, 0))
    after = duration_ps(*program, overlap_ps=WINDOW_PS) - duration_ps(*alone, overlap_ps=WINDOW_PS)
    assert after == MISS_PS + 1


def test_running_ahead_needs_line_fill_buffers() -> None:
    assert duration_ps(*TWO_LOADS, overlap_ps=WINDOW_PS, concurrent_misses=1) == 2 * (MISS_PS + 1)


def test_nothing_of_a_run_ahead_counts_but_the_lines() -> None:
    program = (
        (Op.MOVI, 5, 3, 0),
        TWO_LOADS[0],
        (Op.COUNT, 0, 5, 0),
        (Op.ADDI, 5, 5, 1),
        (Op.RAND, 6, 1000, 0),
        (Op.COUNT, 2, 6, 0),
        (Op.POKE, 5, 2, -1),
        (Op.STORE, 5, SLOT, -1),
        (Op.FENCE, 0, 0, 0),
        (Op.COUNT, 1, 5, 0),
    )
    blocking, ahead = (run(*program, overlap_ps=overlap_ps) for overlap_ps in (0, WINDOW_PS))
    assert ahead.stats == blocking.stats
    assert ahead.memory == blocking.memory == (0, 4, 4)
    assert ahead.accesses == blocking.accesses == 2


def test_a_wrong_prediction_does_no_harm() -> None:
    """The other core writes 7 while the load waits, so that the branch goes the other way in the end."""
    reader, writer = Assembler(), Assembler()
    reader.emit(Op.WORK, 1000)
    reader.access(Op.LOAD, 0, INDEX)
    reader.emit(Op.BNE, 0, 1, "written")
    reader.emit(Op.MOVI, 2, 99)
    reader.access(Op.LOAD, 3, 0, 2)  # there is no such word
    reader.label("written")
    reader.emit(Op.COUNT, 0, 0)
    reader.emit(Op.HALT)
    writer.emit(Op.MOVI, 0, 7)
    writer.access(Op.STORE, 0, INDEX)
    writer.emit(Op.HALT)
    crowd = (Agent(reader.code()), Agent(writer.code()))
    scene = Scene(crowd, replace(CORE, overlap_ps=WINDOW_PS), ((0, MISS_PS), (MISS_PS, 0)), (0, 1), 1, 0, NEVER)
    assert native.simulate(scene).stats[0][0] == 7


def polling(work_ps: int, values: tuple[int, ...], restart_ps: int) -> tuple[int, int]:
    """Return the time and the requests of a core that polls words, each in a line of its own.

    Where one is 1 it loads a further line and works.
    """
    reader, count = Assembler(), len(values)
    for register, value in ((1, 1), (2, 0), (3, count)):
        reader.emit(Op.MOVI, register, value)
    for word, value in enumerate(values):
        reader.emit(Op.MOVI, 4, value)
        reader.access(Op.POKE, 4, word)
    reader.label("next")
    reader.access(Op.LOAD, 0, 0, 2)
    reader.emit(Op.BNE, 0, 1, "nothing")
    reader.access(Op.LOAD, 5, count, 2)
    reader.emit(Op.WORK, work_ps)
    reader.label("nothing")
    reader.emit(Op.ADDI, 2, 2, 1)
    reader.emit(Op.BLT, 2, 3, "next")
    reader.emit(Op.HALT)
    timing = replace(CORE, overlap_ps=WINDOW_PS, restart_ps=restart_ps)
    found = native.simulate(Scene((Agent(reader.code()),), timing, ((0,),), tuple(range(2 * count)), 1, 0, NEVER))
    return found.clocks_ps[0], found.transactions[0]


def test_a_jump_that_goes_as_last_time_is_run_past() -> None:
    """Six polls that find something: all lines are under way at once, so waiting takes little more than one miss."""
    duration, requests = polling(1000, (1,) * 6, 5000)
    assert requests == 12
    assert duration < 2.5 * MISS_PS


def test_a_surprise_costs_the_restart_and_what_lay_behind_it() -> None:
    """A poll that finds something after one that did not asks for the next line only when its own is there."""
    steady, surprised, cheap = polling(1000, (0, 0), 5000), polling(1000, (0, 1), 5000), polling(1000, (0, 1), 0)
    assert steady[1] == 2
    assert surprised[1] == cheap[1] == 3
    assert surprised[0] - cheap[0] == 2 * 5000  # the first jump of all was one, too
    assert surprised[0] - steady[0] >= MISS_PS + 5000


def test_a_value_that_has_not_arrived_is_followed_through_registers_to_an_address() -> None:
    """Which line the second load wants is not known before the first one is there, however far the core runs ahead."""
    index = (Op.LOAD, 0, INDEX, -1)
    dependent = ((Op.ADDI, 5, 0, 0), (Op.SETR, 5, 6, 7), (Op.GETR, 8, 6, 7), (Op.LOAD, 1, SLOT, 8))
    assert duration_ps(index, *dependent, overlap_ps=WINDOW_PS) >= 2 * MISS_PS
    known = ((Op.MOVI, 8, 0, 0), (Op.LOAD, 1, SLOT, 8))
    assert duration_ps(index, *known, overlap_ps=WINDOW_PS) < MISS_PS + 2 * L1_PS


def test_an_overlap_beyond_the_window_is_refused() -> None:
    with pytest.raises(SimulationError, match="overlap_ps"):
        duration_ps(*TWO_LOADS, overlap_ps=WINDOW_PS + 1)
