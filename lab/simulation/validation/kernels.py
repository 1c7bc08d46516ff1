"""Check 6: the C kernel equals the plain-Python reference, and no invariant is violated."""

from __future__ import annotations

from random import Random

from lab.simulation import native, reference
from lab.simulation.validation.check import Check
from lab.simulation.validation.invariants import broken_invariant
from lab.simulation.validation.random_scenes import COUNTED, counting_scene, random_scene

NUMBER, NAME = 6, "C kernel equals Python reference, invariants hold"
COMPARED, WATCHED, COUNTING = 100, 40, 60


def kernels(compared: int = COMPARED, watched: int = WATCHED, counting: int = COUNTING) -> Check:
    """Run random programs in both kernels, and look at the invariants of some of them.

    Args:
        compared: programs of which both outcomes must be the same to the last bit.
        watched: programs of which each step is looked at.
        counting: programs whose increments must all arrive.

    """
    if not native.available():
        return Check(number=NUMBER, name=NAME, holds=None, figure="the C kernel is not built (make native)")
    problems = [*_differences(compared), *_violations(watched), *_losses(counting)]
    return Check.without_faults(
        NUMBER,
        NAME,
        problems,
        f"{len(problems)} faults: {compared} random programs compared, {watched} watched, {counting} counted",
    )


def _differences(count: int) -> list[str]:
    scenes = {seed: random_scene(Random(seed)) for seed in range(count)}
    return [
        f"random scene {seed}: the kernels differ"
        for seed, scene in scenes.items()
        if native.simulate(scene) != reference.simulate(scene)
    ]


def _violations(count: int) -> list[str]:
    found = {seed: broken_invariant(random_scene(Random(seed))) for seed in range(count)}
    return [f"random scene {seed}: {problem}" for seed, problem in found.items() if problem]


def _losses(count: int) -> list[str]:
    outcomes = {seed: native.simulate(counting_scene(Random(seed))) for seed in range(count)}
    return [
        f"counting scene {seed}: an increment was lost"
        for seed, outcome in outcomes.items()
        if outcome.memory != tuple(stats[COUNTED] for stats in outcome.stats)
    ]
