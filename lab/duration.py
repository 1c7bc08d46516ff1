"""Durations as people write them: 90s, 30m, 2h, 1h30m."""

from __future__ import annotations

import re

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """Return how long a duration such as ``90s``, ``2h`` or ``1h30m`` is, in seconds; ValueError where it is none."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    total_s = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or total_s <= 0:
        raise ValueError(f"{text!r} is no duration: write 90s, 30m, 2h or 1h30m")
    return total_s
