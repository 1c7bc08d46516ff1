"""Which frames of a direction something happens to (``picks_has`` of lab/dut/model-dut), as runs of numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.dut.computed.chance import Numbers, Purpose, chance
from lab.testbed.behaviour import Picks

_EXACT_MOST = 1 << 18  # frames whose chance is drawn one by one; of more, only how many are picked, and where


@dataclass(frozen=True)
class Runs:
    """Frames from ``begins`` to before ``ends``, ascending, none twice."""

    begins: Numbers
    ends: Numbers

    @property
    def frames(self) -> int:
        """How many they are."""
        return int((self.ends - self.begins).sum())

    def has(self, numbers: Numbers) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Say of each number whether it is among them."""
        if not self.begins.size:
            return np.zeros(numbers.size, dtype=bool)
        at = np.searchsorted(self.begins, numbers, side="right") - 1
        return np.asarray((at >= 0) & (numbers < self.ends[np.maximum(at, 0)]))


def picked(picks: Picks, seed: int, purpose: Purpose, direction: int, first: int, count: int) -> Runs:
    """Return which of the frames ``first`` to ``first + count - 1`` of a direction are picked.

    Chance picks the same frames as the model does where there are at most 2^18; of more as many as it would, by their
    distribution, and for the same arguments always the same.
    """
    burst, end = picks.burst_frames, first + count
    since = max(0, first - burst + 1)
    parts = [np.array([frame for frame in picks.frames if since <= frame < end], dtype=np.int64)]
    if picks.every:
        parts.append(np.arange(since + -(since + 1) % picks.every, end, picks.every, dtype=np.int64))
    if picks.ratio:
        parts.append(_by_chance(picks, seed, purpose, direction, since, end))
    starts = np.unique(np.concatenate(parts))
    if not starts.size:
        return Runs(starts, starts)
    ends = np.minimum(starts + burst, end)
    begins = np.maximum(starts, first)
    fresh = np.concatenate(([True], begins[1:] > ends[:-1]))
    last = np.concatenate((fresh[1:], [True]))
    return Runs(begins[fresh], ends[last])


def _by_chance(picks: Picks, seed: int, purpose: Purpose, direction: int, since: int, end: int) -> Numbers:
    if end - since <= _EXACT_MOST:
        numbers = np.arange(since, end, dtype=np.int64)
        return numbers[chance(seed, purpose, direction, numbers) < picks.ratio]
    random = np.random.default_rng([seed, purpose, direction, since])
    expected = (end - since) * picks.ratio
    gaps = random.geometric(picks.ratio, int(expected + 10 * expected**0.5 + 10))  # ten deviations: always enough
    numbers = since - 1 + np.cumsum(gaps)
    return numbers[: np.searchsorted(numbers, end)]
