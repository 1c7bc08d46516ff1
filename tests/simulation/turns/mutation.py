"""Descriptions that are wrong in one place, to see that a comparison with traces notices it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lab.simulation.accesses import Access, Block, Description, Step, Verb
from tests.simulation.turns.walk import Turn

Mutant = tuple[int, tuple[Step, ...]]  # the line that was changed, and the steps


def matches(turns: list[Turn], description: Description) -> bool:
    """Whether a description says of every turn what its trace says."""
    return all(turn.expected(description) == turn.traced for turn in turns)


def unnoticed(turns: list[Turn], description: Description, mutants: Iterator[Mutant]) -> list[int]:
    """Return the lines of wrong descriptions that all turns match."""
    return [line for line, steps in mutants if matches(turns, replace(description, turn=steps))]


def without(steps: tuple[Step, ...]) -> Iterator[Mutant]:
    """Yield steps without one access, for each; what stands in two places by an alias is taken from one at a time."""
    for i, step in enumerate(steps):
        before, after = steps[:i], steps[i + 1 :]
        if isinstance(step, Access):
            yield step.line, (*before, *after)
        else:
            for line, do in without(step.do):
                yield line, (*before, replace(step, do=do), *after)


def with_more(steps: tuple[Step, ...]) -> Iterator[Mutant]:
    """Yield steps with one access more, of a word that no turn touches so, at the end of a block, for each."""
    more = Access(Verb.STORE, "core.busy_polls", 0)
    for i, step in enumerate(steps):
        before, after = steps[:i], steps[i + 1 :]
        if isinstance(step, Block):
            yield step.line, (*before, replace(step, do=(*step.do, more)), *after)
            for line, do in with_more(step.do):
                yield line, (*before, replace(step, do=do), *after)


def without_condition(steps: tuple[Step, ...]) -> Iterator[Mutant]:
    """Yield steps where what a condition is for is always done, for each condition."""
    for i, step in enumerate(steps):
        before, after = steps[:i], steps[i + 1 :]
        if isinstance(step, Block):
            if step.kind == "if":
                yield step.line, (*before, *step.do, *after)
            for line, do in without_condition(step.do):
                yield line, (*before, replace(step, do=do), *after)
