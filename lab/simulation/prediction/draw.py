"""The draws of a question: numbers that the machine may have, each with a seed of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.simulation.prediction.question import Question


@dataclass(frozen=True)
class Draw:
    """One machine that may be the true one; all draws of a question are equally likely.

    Attributes:
        numbers: by the names of the machine's ranges.
        seed: of the scene: jitter and random destinations.

    """

    numbers: Mapping[str, float]
    seed: int


def draws(question: Question) -> tuple[Draw, ...]:
    """Return the draws of a question, always the same, whatever is simulated with them."""
    return tuple(
        Draw(numbers, seed * question.draws_per_seed + i)
        for seed in question.seeds
        for i, numbers in enumerate(_numbers(question, seed))
    )


def _numbers(question: Question, seed: int) -> list[dict[str, float]]:
    if question.frozen is None:
        return question.machine.draws(question.draws_per_seed, seed)
    return question.frozen.draws(question.machine, question.draws_per_seed, seed)
