"""How two sides compare (layouts, images): the ratio of their rates with an interval, by the state of the machine.

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

from lab.metrics.statistics import Interval, bootstrap, cliffs_delta, mean_ratio
from lab.models import Model

State = Literal["all", "near", "far"]
SPLIT_RATIO = 1.5
"""Neighbouring latencies this far apart belong to two states: the spread within a state is below 1.2."""
ENOUGH = 6
"""Windows of each side from which on an interval means something."""
ENOUGH_BLOCKS = 3
"""Blocks with windows of both sides that it takes besides."""
MANY_BLOCKS = 10
"""From as many on they can be resampled: of 3 blocks, such an interval would hold the truth in 75 % of the cases."""


class Observation(Model):
    """One window.

    Attributes:
        block: number of the round of windows of both sides that it belongs to.
        side: its name, such as that of a layout or an image.
        rate: messages, frames or packets a second.
        c2c_ns: one-way core-to-core latency directly before and after it; none where it was not measured.
        disturbed: whether a core was taken away for a while, in the window or while the latency was measured.

    """

    block: int
    side: str
    rate: float
    c2c_ns: tuple[float, float] | None = None
    disturbed: bool = False


class Ratio(Model):
    """The rate of one side over that of another in one state of the machine.

    Attributes:
        side: its name.
        against: name of the other side.
        state: "near" or "far" where the machine was seen in two states, else "all".
        c2c_ns: median core-to-core latency of its windows; none where it was not measured.
        rate: median of the side, a second.
        against_rate: median of the other side.
        ratio: of the two medians; below 1 the side is slower.
        low: lower end of the interval of the ratio, of 95 % confidence.
        high: upper end.
        effect: Cliff's delta, -1 to 1: share of pairs with the other side faster, less that of those with this one.
        windows: that went in, of both sides.
        left_out: windows of this state that were disturbed, while enough others were left.

    """

    side: str
    against: str
    state: State
    c2c_ns: float | None
    rate: float
    against_rate: float
    ratio: float
    low: float
    high: float
    effect: float
    windows: int
    left_out: int


def compare(observations: Sequence[Observation], side: str, against: str, seed: int = 1) -> tuple[Ratio, ...]:
    """Compare two sides in each state of the machine that has enough windows of both.

    Args:
        observations: windows of both sides, in blocks.
        side: whose rate is put over the other's.
        against: the other.
        seed: of the resampling: the same windows give the same interval.

    Returns:
        One ratio for each state; none where no state has :data:`ENOUGH` windows of each side.

    """
    found = []
    for state, members in _states(observations):
        quiet = [one for one in members if not one.disturbed]
        chosen = quiet if _enough(quiet, side, against) else members
        if _enough(chosen, side, against):
            found.append(_ratio(state, chosen, (side, against), len(members) - len(chosen), seed))
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


def _enough(observations: Sequence[Observation], side: str, against: str) -> bool:
    sides = [one.side for one in observations]
    blocks = [{one.block for one in observations if one.side == name} for name in (side, against)]
    return min(sides.count(side), sides.count(against)) >= ENOUGH and len(set.intersection(*blocks)) >= ENOUGH_BLOCKS


def _states(observations: Sequence[Observation]) -> list[tuple[State, list[Observation]]]:
    """Sort windows into states; one that was in another state after than before, or was not seen, is in none."""
    tagged = [one.c2c_ns for one in observations if one.c2c_ns is not None]
    boundary = boundary_ns([latency for pair in tagged for latency in pair])
    if boundary is None:
        return [("all", list(observations))]
    near = [one for one in observations if one.c2c_ns is not None and max(one.c2c_ns) < boundary]
    far = [one for one in observations if one.c2c_ns is not None and min(one.c2c_ns) >= boundary]
    return [("near", near), ("far", far)]


def _ratio(
    state: State, observations: Sequence[Observation], sides: tuple[str, str], left_out: int, seed: int
) -> Ratio:
    rates, against_rates = (
        np.array([one.rate for one in observations if one.side == side], dtype=float) for side in sides
    )
    ratio = float(np.median(rates) / np.median(against_rates))
    interval = _interval(observations, sides, seed)
    tags = [latency for one in observations if one.c2c_ns is not None for latency in one.c2c_ns]
    return Ratio(
        side=sides[0],
        against=sides[1],
        state=state,
        c2c_ns=float(np.median(tags)) if tags else None,
        rate=float(np.median(rates)),
        against_rate=float(np.median(against_rates)),
        ratio=ratio,
        low=min(ratio, interval.low),
        high=max(ratio, interval.high),
        effect=cliffs_delta(against_rates, rates),
        windows=len(observations),
        left_out=left_out,
    )


def _interval(observations: Sequence[Observation], sides: tuple[str, str], seed: int) -> Interval:
    """Return the interval of the ratio by whole blocks, as windows of a block are not independent.

    Many blocks are resampled; of few, each has one ratio (of the geometric means), and these have a t interval.
    """
    rates, against_rates = (_by_block(observations, side) for side in sides)
    both = ~(np.isnan(rates).all(axis=-1) | np.isnan(against_rates).all(axis=-1))
    if both.sum() < MANY_BLOCKS and min(np.nanmin(rates), np.nanmin(against_rates)) > 0:
        logs, against_logs = (np.nanmean(np.log(table[both]), axis=-1) for table in (rates, against_rates))
        return mean_ratio(logs - against_logs)

    def ratio(chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        ends = (np.nanmedian(table[chosen].reshape(len(chosen), -1), axis=-1) for table in (rates, against_rates))
        return np.divide(*ends)

    return bootstrap(len(rates), ratio, seed)


def _by_block(observations: Sequence[Observation], side: str) -> NDArray[np.float64]:
    """Return the rates of a side, one block a row, filled up with NaN."""
    blocks: dict[int, list[float]] = {one.block: [] for one in observations}
    for one in observations:
        if one.side == side:
            blocks[one.block].append(one.rate)
    longest = max(map(len, blocks.values()))
    return np.array([rates + [np.nan] * (longest - len(rates)) for rates in blocks.values()])
