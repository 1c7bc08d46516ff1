"""Turns: contenders are measured one after the other, forth and back, so that all see the machine in each state."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import TypeVar

from lab.bench.contenders import Startable, forwarding
from lab.bench.rig import say
from lab.errors import GeneratorError
from lab.methods.repeat import TooDisturbed
from lab.simulation import host

PROBE_S = 0.2

C = TypeVar("C", bound=Startable)


def core_to_core_ns() -> float:
    """Return the median one-way latency between the host's cores now, in ns."""
    return host.measure(PROBE_S).c2c_latency_ns_median


def in_turns(
    contenders: Sequence[C],
    measure: Callable[[C], float],
    *,
    rounds: int,
    words: Callable[[float], str],
    probe_ns: Callable[[], float] = core_to_core_ns,
) -> tuple[dict[str, list[float]], float]:
    """Measure all contenders in turn, forth and back (A B B A), ``rounds`` times.

    A round in which one of them could not be measured, as the host or the generator was disturbed, counts for none.

    Args:
        contenders: all standing still.
        measure: measures one that forwards.
        rounds: how often each has its turn.
        words: says a figure in the progress.
        probe_ns: core-to-core latency, asked while all stand still.

    Returns:
        Figures by name, one for each round that counted, and the median latency.

    Raises:
        TooDisturbed: fewer than half of the rounds counted.
        LabError: a contender failed.

    """
    figures: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    c2c_ns = []
    why = ""
    for number in range(rounds):
        found: dict[str, float] = {}
        try:
            for contender in contenders if number % 2 == 0 else reversed(contenders):
                c2c_ns.append(probe_ns())
                with forwarding(contender):
                    found[contender.name] = measure(contender)
                say(f"round {number + 1}: {contender.name}: {words(found[contender.name])}, c2c {c2c_ns[-1]:.0f} ns")
        except (TooDisturbed, GeneratorError) as error:
            why = str(error)
            say(f"round {number + 1} does not count: {why}")
            continue
        for name, figure in found.items():
            figures[name].append(figure)
    counted = len(figures[contenders[0].name])
    if 2 * counted < rounds:
        raise TooDisturbed(f"only {counted} of {rounds} rounds counted, give the polling cores to the lab alone: {why}")
    return figures, statistics.median(c2c_ns)
