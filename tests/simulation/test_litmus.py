"""The memory model is that of x86: a load may pass an older store to another word, and nothing else is out of order.

The litmus tests of Owens, Sarkar and Sewell, "A Better x86 Memory Model: x86-TSO" (2009), each with many random delays.
"""

from random import Random

import pytest

from lab.simulation import native
from lab.simulation.program import Assembler, Code, Op
from lab.simulation.scene import NEVER, Agent, Scene
from lab.simulation.validation.random_scenes import random_timing

X, Y, OTHER = 0, 1, 2
RUNS = 250
ONE = 0  # register
Step = tuple[str, int]
Thread = tuple[Step, ...]


def code(thread: Thread, random: Random) -> Code:
    """Assemble a thread; each load counts its value in a statistic of its own."""
    p = Assembler()
    p.emit(Op.MOVI, ONE, 1)
    if random.random() < 0.5:  # the lines may be near at the beginning
        for word in random.sample((X, Y), 2):
            p.access(Op.PREF, 0, word)
    loads = 0
    p.emit(Op.WORK, random.randint(0, 300_000))
    for what, word in thread:
        if random.random() < 0.3:
            p.emit(Op.WORK, random.randint(0, 100_000))
        if what == "store":
            p.access(Op.STORE, ONE, word)
        elif what == "load":
            p.access(Op.LOAD, 1 + loads, word)
            loads += 1
        elif what == "locked":
            p.emit(Op.CAS, 20, word, 10)
        else:
            p.emit(Op.FENCE if what == "fence" else Op.SFENCE)
    for load in range(loads):
        p.emit(Op.COUNT, load, 1 + load)
    p.emit(Op.HALT)
    return p.code()


def seen(*threads: Thread) -> set[tuple[int, ...]]:
    """Return what the loads of all threads saw, one after the other, in many runs."""
    found = set()
    for seed in range(RUNS):
        random = Random(seed)
        crowd = tuple(Agent(code(thread, random), socket=random.randint(0, 1)) for thread in threads)
        times = tuple(tuple(random.randint(0, 150_000) for _ in crowd) for _ in crowd)
        lines = (0, random.randint(0, 1), 2)
        outcome = native.simulate(Scene(crowd, random_timing(random), times, lines, seed, 0, NEVER))
        loads = [sum(what == "load" for what, _ in thread) for thread in threads]
        found.add(tuple(value for stats, count in zip(outcome.stats, loads, strict=True) for value in stats[:count]))
    return found


def both(between: Thread) -> set[tuple[int, ...]]:
    """Each stores to a word and loads that of the other."""
    return seen(
        (("store", X), *between, ("load", Y)),
        (("store", Y), *between, ("load", X)),
    )


def test_stores_wait_in_buffers() -> None:
    assert both(()) == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_a_store_fence_lets_loads_pass() -> None:
    assert (0, 0) in both((("sfence", 0),))


@pytest.mark.parametrize("between", ["fence", "locked"])
def test_nothing_passes_a_fence_or_a_locked_instruction(between: str) -> None:
    found = both(((between, OTHER),))
    assert (0, 0) not in found
    assert {(0, 1), (1, 0)} <= found


def test_stores_are_seen_in_their_order() -> None:
    found = seen((("store", X), ("store", Y)), (("load", Y), ("load", X)))
    assert found == {(0, 0), (0, 1), (1, 1)}


def test_loads_are_not_passed_by_later_stores() -> None:
    found = seen((("load", X), ("store", Y)), (("load", Y), ("store", X)))
    assert found == {(0, 0), (0, 1), (1, 0)}


def test_all_see_independent_stores_in_one_order() -> None:
    found = seen((("store", X),), (("store", Y),), (("load", X), ("load", Y)), (("load", Y), ("load", X)))
    assert (1, 0, 1, 0) not in found
    assert {(1, 0, 0, 0), (1, 1, 1, 1), (0, 0, 1, 0)} <= found


def test_a_core_sees_its_own_store_before_others_do() -> None:
    found = seen((("store", X), ("load", X), ("load", Y)), (("store", Y), ("load", Y), ("load", X)))
    assert all(one[0] == one[2] == 1 for one in found)
    assert (1, 0, 1, 0) in found
