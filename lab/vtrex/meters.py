"""Rates shown beside the counters: what a counter gained a second, smoothed as TRex smooths it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

PERIOD_S = 0.5
WEIGHT = 0.5


class Meters:
    """Smoothed rates of a set of counters that is sampled now and then."""

    def __init__(self) -> None:
        """Begin with no sample."""
        self._at_s: float | None = None
        self._counters: dict[Hashable, int] = {}
        self._rates: dict[Hashable, float] = {}

    def sample(self, now_s: float, counters: Mapping[Hashable, int]) -> bool:
        """Take a sample, unless the last one is younger than PERIOD_S; tells whether it did."""
        if self._at_s is not None:
            elapsed_s = now_s - self._at_s
            if elapsed_s < PERIOD_S:
                return False
            for key, value in counters.items():
                gained = value - self._counters.get(key, value)
                self._rates[key] = WEIGHT * self._rates.get(key, 0.0) + (1 - WEIGHT) * gained / elapsed_s
                if gained == 0:
                    self._rates[key] = 0.0
        self._at_s = now_s
        self._counters = dict(counters)
        self._rates = {key: rate for key, rate in self._rates.items() if key in self._counters}
        return True

    def rate(self, key: Hashable) -> float:
        """Return units a second; 0.0 for a counter not sampled twice yet."""
        return self._rates.get(key, 0.0)
