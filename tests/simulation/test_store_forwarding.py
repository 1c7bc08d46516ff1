"""What needs only the value of a word that the own store buffer has needs no line (Intel SDM vol. 3A, 8.2.3.5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.simulation import native, reference
from lab.simulation.program import Assembler, Op
from lab.simulation.scene import Agent, Scene
from tests.simulation.scenes import TIMING

OWN, OTHERS = 0, 1  # words of one line
NS = 1000


def transactions(again: Op | None) -> int:
    """Store behind a slow doorbell, lose the line, perhaps touch the word again, lose the line; count what it asked."""
    p, q = Assembler(), Assembler()
    p.emit(Op.BELL, 1000 * NS, -1, 0)
    p.access(Op.STORE, 0, OWN)
    p.emit(Op.WORK, 400 * NS)
    if again is not None:
        p.access(again, 0, OWN)
    p.emit(Op.HALT)
    for _ in range(2):
        q.emit(Op.WORK, 200 * NS)
        q.access(Op.STORE, 0, OTHERS)
        q.emit(Op.FENCE)
        q.emit(Op.WORK, 200 * NS)
    q.emit(Op.HALT)
    scene = Scene(
        agents=(Agent(p.code()), Agent(q.code())), timing=replace(TIMING, jitter=0), transfer_ps=((0, 30 * NS),) * 2,
        word_lines=(0, 0), seed=1, warm_ps=0, end_ps=5000 * NS,
    )  # fmt: skip
    outcome = native.simulate(scene)
    assert outcome == reference.simulate(scene)
    return outcome.transactions[0]


@pytest.mark.parametrize("again", [Op.INC, Op.PREF, Op.LOAD])
def test_a_word_in_the_store_buffer_is_not_asked_for(again: Op) -> None:
    assert transactions(again) == transactions(None) == 2  # when it enters the buffer, and when it is its turn
