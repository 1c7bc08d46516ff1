"""Which structure costs how much: each one alone in its lines, on the same draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lab.simulation.layout import Layout, Structure
from lab.simulation.memory import SEPARATION_BYTES
from lab.simulation.prediction.model import Band, Prediction
from lab.simulation.prediction.predictor import samples, summary
from lab.simulation.prediction.quantiles import band
from lab.simulation.prediction.question import Question
from lab.simulation.prediction.sample import Sample


def attribute(question: Question, jobs: int = 1) -> Prediction:
    """Predict, and say of each structure that shares lines and costs misses what it would gain if it shared none.

    The gain is that of this structure alone, with all others as they are, draw by draw on the same numbers, seeds and
    destinations (common random numbers): gains do not add up to that of all structures apart, since what waits for
    one word would often have waited for the next one anyway.

    Args:
        question: as for :func:`~lab.simulation.prediction.predictor.predict`.
        jobs: simulations at a time.

    Raises:
        SimulationError, UsageError: as predict does.

    """
    found = samples(question, jobs)
    costly = {name for each in found for name in each.misses}
    gains_pps = {
        name: _gain(found, samples(question.of(question.layout.alone(name)), jobs))
        for name in sharing(question.layout)
        if name in costly
    }
    return summary(question, found, gains_pps)


def _gain(as_it_is: Sequence[Sample], alone: Sequence[Sample]) -> Band:
    gains_pps = [b.rate_pps - a.rate_pps for a, b in zip(as_it_is, alone, strict=True)]
    return band(gains_pps)


def sharing(layout: Layout) -> tuple[str, ...]:
    """Return the structures of which an element shares a pair of lines with one that another core writes."""
    writers: defaultdict[int, set[tuple[str, int]]] = defaultdict(set)
    for structure in layout.structures:
        for index in range(structure.count):
            for place in _places(structure, index):
                writers[place].add(writer(structure, index))
    return tuple(
        structure.name
        for structure in layout.structures
        if any(len(writers[place]) > 1 for index in range(structure.count) for place in _places(structure, index))
    )


def _places(structure: Structure, index: int) -> range:
    """Return the pairs of lines that an element lies in."""
    first = structure.address(index)
    last = first + structure.element_bytes - 1
    return range(first // SEPARATION_BYTES, last // SEPARATION_BYTES + 1)


def writer(structure: Structure, index: int) -> tuple[str, int]:
    """Return who writes an element: a core, or the core of a queue pair, by number."""
    if structure.owner == "producer":
        return "core", index // structure.side
    if structure.owner == "consumer":
        return "core", index % structure.side
    return structure.indexed_by, index
