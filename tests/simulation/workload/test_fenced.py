"""Fences are put before the publications alone, and change nothing but time."""

from __future__ import annotations

from lab.simulation.program import Assembler, Op
from lab.simulation.workload.fenced import with_fences


def test_stores_to_the_words_get_a_fence_and_jumps_still_hit() -> None:
    p = Assembler()
    p.emit(Op.JMP, c="publish")
    p.label("again")
    p.access(Op.STORE, 1, 7)
    p.label("publish")
    p.access(Op.STORE, 1, 3)
    p.access(Op.LOAD, 1, 3)
    p.emit(Op.BEQ, 0, 1, "again")
    code = with_fences(p.code(), frozenset({3}))
    assert [op for op, *_ in code] == [Op.JMP, Op.STORE, Op.FENCE, Op.STORE, Op.LOAD, Op.BEQ]
    assert code[0][3] == 2  # to the fence of the publication
    assert code[5][3] == 1


def test_a_program_without_such_stores_stays_as_it_is() -> None:
    p = Assembler()
    p.label("again")
    p.access(Op.STORE, 1, 7)
    p.emit(Op.JMP, c="again")
    assert with_fences(p.code(), frozenset({3})) == p.code()
