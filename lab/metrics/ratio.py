"""How two layouts of the same program compare: the ratio of their rates with an interval, by the state of the machine.

Windows of both are measured in turns (A B B A), so that a machine that slowly gets slower slows both alike. On a shared
host the latency between two cores jumps between values minutes apart (near: one core complex; far: two), and the effect
of false sharing with it, even its sign. So each window is tagged with the latency directly before and after it, and
only windows of the same state are compared; one that spans a jump is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lab.models import Model

State = Literal["all", "near", "far"]
SPLIT_RATIO = 1.5
"""Neighbouring latencies this far apart belong to two states: the spread within a state is below 1.2."""
CONFIDENCE = 0.95
RESAMPLES = 2000
ENOUGH = 6
"""Windows of each layout from which on an interval means something."""


class Observation(Model):
    """One window.

    Attributes:
        block: number of the round of windows of both layouts that it belongs to.
        layout: packed or padded.
        rate: messages, frames or packets a second.
        c2c_ns: one-way core-to-core latency directly before and after it; none where it was not measured.
        disturbed: whether a core was taken away for a while, in the window or while the latency was measured.

    """

    block: int
    layout: Literal["packed", "padded"]
    rate: float
    c2c_ns: tuple[float, float] | None = None
    disturbed: bool = False


class Ratio(Model):
    """The packed layout's rate over the padded one's in one state of the machine.

    Attributes:
        state: "near" or "far" where the machine was seen in two states, else "all".
        c2c_ns: median core-to-core latency of its windows; none where it was not measured.
        packed_rate: median, a second.
        padded_rate: the same of the other layout.
        ratio: of the two medians; below 1 false sharing costs.
        low: lower end of the interval of the ratio.
        high: upper end.
        effect: Cliff's delta, -1 to 1: share of pairs with padded faster, less that of those with packed faster.
        windows: that went in, of both layouts.
        left_out: windows of this state that were disturbed, while enough others were left.

    """

    state: State
    c2c_ns: float | None
    packed_rate: float
    padded_rate: float
    ratio: float
    low: float
    high: float
    effect: float
    windows: int
    left_out: int


def compare(observations: Sequence[Observation], seed: int = 1) -> tuple[Ratio, ...]:
    """Compare packed with padded in each state of the machine that has enough windows of both.

    Args:
        observations: windows of both layouts, in blocks.
        seed: of the resampling: the same windows give the same interval.

    Returns:
        One ratio for each state; none where no state has :data:`ENOUGH` windows of each layout.

    """
    found = []
    for state, members in _states(observations):
        quiet = [one for one in members if not one.disturbed]
        chosen = quiet if _enough(quiet) else members
        if _enough(chosen):
            found.append(_ratio(state, chosen, len(members) - len(chosen), seed))
    return tuple(found)


def boundary_ns(latencies_ns: Sequence[float]) -> float | None:
    """Return the latency that parts near from far, or None when all belong to one state.

    A few values that lie apart are no state: a ping-pong that was interrupted.

    Args:
        latencies_ns: any number, in any order, all above 0.

    """
    ordered = np.sort(np.asarray(latencies_ns, dtype=float))
    steps = (ordered[1:] / ordered[:-1])[ENOUGH - 1 : ordered.size - ENOUGH]
    if not steps.size or steps.max() < SPLIT_RATIO:
        return None
    at = int(np.argmax(steps)) + ENOUGH
    return float(np.sqrt(ordered[at - 1] * ordered[at]))


def _enough(observations: Sequence[Observation]) -> bool:
    layouts = [one.layout for one in observations]
    return min(layouts.count("packed"), layouts.count("padded")) >= ENOUGH


def _states(observations: Sequence[Observation]) -> list[tuple[State, list[Observation]]]:
    """Sort windows into states; one that was in another state after than before, or was not seen, is in none."""
    tagged = [one.c2c_ns for one in observations if one.c2c_ns is not None]
    boundary = boundary_ns([latency for pair in tagged for latency in pair])
    if boundary is None:
        return [("all", list(observations))]
    near = [one for one in observations if one.c2c_ns is not None and max(one.c2c_ns) < boundary]
    far = [one for one in observations if one.c2c_ns is not None and min(one.c2c_ns) >= boundary]
    return [("near", near), ("far", far)]


def _ratio(state: State, observations: Sequence[Observation], left_out: int, seed: int) -> Ratio:
    packed, padded = _rates(observations, "packed"), _rates(observations, "padded")
    low, high = _interval(observations, seed)
    tags = [latency for one in observations if one.c2c_ns is not None for latency in one.c2c_ns]
    wins = np.sign(padded[:, None] - packed[None, :])
    return Ratio(
        state=state,
        c2c_ns=float(np.median(tags)) if tags else None,
        packed_rate=float(np.median(packed)),
        padded_rate=float(np.median(padded)),
        ratio=float(np.median(packed) / np.median(padded)),
        low=low,
        high=high,
        effect=float(wins.mean()),
        windows=len(observations),
        left_out=left_out,
    )


def _rates(observations: Sequence[Observation], layout: str) -> NDArray[np.float64]:
    return np.array([one.rate for one in observations if one.layout == layout], dtype=float)


def _interval(observations: Sequence[Observation], seed: int) -> tuple[float, float]:
    """Bootstrap the ratio of medians (Efron 1979), resampling whole blocks: windows of a block are not independent."""
    blocks: dict[int, list[Observation]] = {}
    for one in observations:
        blocks.setdefault(one.block, []).append(one)
    pairs = [(_rates(block, "packed"), _rates(block, "padded")) for block in blocks.values()]
    generator = np.random.default_rng(seed)
    ratios = []
    for chosen in generator.integers(len(pairs), size=(RESAMPLES, len(pairs))):
        packed = np.concatenate([pairs[i][0] for i in chosen])
        padded = np.concatenate([pairs[i][1] for i in chosen])
        if packed.size and padded.size:
            ratios.append(np.median(packed) / np.median(padded))
    low, high = np.quantile(ratios, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return float(low), float(high)
