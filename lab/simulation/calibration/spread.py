"""How far apart many measurements of one thing lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lab.models import Model


class Spread(Model):
    """10, 50 and 90 % of many windows."""

    low: float
    median: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of one or more values."""
    low, median, high = (float(q) for q in np.quantile(values, (0.1, 0.5, 0.9)))
    return Spread(low=low, median=median, high=high)
