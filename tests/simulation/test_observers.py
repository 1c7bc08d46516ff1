"""What observes a simulation costs no time and moves no line; what is counted is counted from warm-up on."""

from dataclasses import replace

import pytest

from lab.simulation import native
from lab.simulation.buckets import bucket_of_ps
from lab.simulation.errors import SimulationError
from lab.simulation.memory import Memory
from lab.simulation.program import Assembler, Op
from lab.simulation.scene import NEVER, Agent, Outcome, Scene
from tests.simulation.scenes import TIMING

STILL = replace(TIMING, jitter=0, overlap_ps=0)
SEEN = 0


def run(*programs: Assembler, lines: tuple[int, ...] = (0, 1), warm_ps: int = 0) -> Outcome:
    crowd = tuple(Agent(program.code()) for program in programs)
    transfers = tuple(tuple(0 if i == j else 50_000 for j in range(len(crowd))) for i in range(len(crowd)))
    return native.simulate(Scene(crowd, STILL, transfers, lines, 1, warm_ps, NEVER))


def program(*instructions: tuple[Op, int, int, int]) -> Assembler:
    assembled = Assembler()
    for op, a, b, c in instructions:
        assembled.emit(op, a, b, c)
    assembled.emit(Op.HALT)
    return assembled


def test_what_is_poked_is_peeked_by_others_at_once_and_moves_no_line() -> None:
    writer = program((Op.MOVI, 0, 7, 0), (Op.WORK, 100, 0, 0), (Op.POKE, 0, 1, -1))
    reader = program((Op.WORK, 100, 0, 0), (Op.PEEK, 0, 1, -1), (Op.COUNT, SEEN, 0, 0))
    outcome = run(writer, reader)
    assert outcome.stats[1][SEEN] == 7
    assert outcome.clocks_ps == (100, 100)
    assert outcome.transactions == (0, 0)
    assert outcome.accesses == 0


def test_a_store_is_peeked_only_once_it_is_committed() -> None:
    writer = program((Op.MOVI, 0, 7, 0), (Op.STORE, 0, 0, -1))
    early = program((Op.WORK, STILL.shared_cache_ps - 1, 0, 0), (Op.PEEK, 0, 0, -1), (Op.COUNT, SEEN, 0, 0))
    late = program((Op.WORK, STILL.shared_cache_ps + 1, 0, 0), (Op.PEEK, 0, 0, -1), (Op.COUNT, SEEN, 0, 0))
    outcome = run(writer, early, late)
    assert [stats[SEEN] for stats in outcome.stats] == [0, 0, 7]


def test_a_sample_is_the_time_since_a_moment() -> None:
    outcome = run(program((Op.WORK, 500, 0, 0), (Op.NOW, 0, 0, 0), (Op.WORK, 12_345, 0, 0), (Op.SAMPLE, 0, 0, 0)))
    assert outcome.latency_counts[bucket_of_ps(12_345)] == sum(outcome.latency_counts) == 1
    assert outcome.clocks_ps == (12_845,)


def test_samples_and_transactions_count_from_warm_up_on() -> None:
    misses = ((Op.NOW, 0, 0, 0), (Op.LOAD, 1, 0, -1), (Op.SAMPLE, 0, 0, 0), (Op.LOAD, 1, 1, -1), (Op.SAMPLE, 0, 0, 0))
    assert run(program(*misses)).word_transactions == (1, 1)
    outcome = run(program(*misses), warm_ps=STILL.shared_cache_ps)
    assert outcome.word_transactions == (0, 1)
    assert outcome.transactions == (2,)
    assert sum(outcome.latency_counts) == 2
    assert sum(run(program(*misses), warm_ps=NEVER - 1).latency_counts) == 0


def test_transactions_are_those_of_the_word_that_caused_them() -> None:
    outcome = run(program((Op.INC, 1, 1, -1), (Op.WORK, 90_000, 0, 0), (Op.INC, 1, 0, -1)), lines=(0, 0))
    assert outcome.word_transactions[0] == 0  # the line was there already
    assert outcome.word_transactions[1] == outcome.transactions[0]


def test_a_sample_that_begins_in_the_future_is_refused() -> None:
    with pytest.raises(SimulationError, match="future, at 1"):
        run(program((Op.MOVI, 0, 99, 0), (Op.SAMPLE, 0, 0, 0)))


def test_a_store_fence_takes_its_turn_and_loads_go_on() -> None:
    slow, quick = (Op.BELL, 80_000, -1, 0), (Op.SFENCE, 0, 0, 0)
    outcome = run(program(slow, quick))
    assert outcome.clocks_ps == (2 * STILL.issue_ps,)
    full = replace(STILL, store_buffer_entries=1)
    scene = Scene((Agent(program(slow, quick).code()),), full, ((0,),), (0,), 1, 0, NEVER)
    assert native.simulate(scene).clocks_ps[0] >= 80_000


def test_words_have_the_names_that_they_were_given() -> None:
    memory = Memory()
    block = memory.reserve(64)
    memory.place([block, block + 8], "core.pool_head")
    memory.allocate(1, 8, "buffer")
    memory.allocate(1, 8)
    assert memory.names() == ("core.pool_head", "core.pool_head", "buffer", "")
