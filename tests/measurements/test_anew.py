"""A measurement begins anew where the test host has changed since it was found what can be offered."""

from __future__ import annotations

from typing import cast

import pytest

from lab.measurements.core import SEARCHES, Core
from lab.methods.load_limit import load_limit
from lab.methods.profiles import QUICK
from lab.methods.repeat import TooDisturbed
from lab.run import Run
from lab.session import Session


class Listener:
    """Who is told what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        """Keep a line."""
        self.said.append(line)


def core() -> tuple[Core, Listener]:
    """Return what measures nothing by itself, with a limit that was found at 64 bytes."""
    listener = Listener()
    made = Core(cast(Session, None), cast(Run, listener), QUICK, calibration=None, baselines=None)
    for size in (64, 512):
        made._limits[size] = load_limit(size, 10.0, 2, None)
    return made, listener


def test_what_was_found_at_that_size_is_forgotten() -> None:
    made, listener = core()
    limits = []

    def measure() -> str:
        limits.append(64 in made._limits)
        if len(limits) == 1:
            raise TooDisturbed("none of 8 attempts was valid")
        return "found"

    assert made.anew(64, measure) == "found"
    assert limits == [True, False]
    assert 512 in made._limits
    assert listener.said == ["measuring anew: none of 8 attempts was valid"]


def test_a_measurement_within_another_is_not_repeated_for_itself() -> None:
    made, _ = core()
    asked: list[str] = []

    def inner() -> str:
        asked.append("inner")
        raise TooDisturbed("always")

    def outer() -> str:
        asked.append("outer")
        return made.anew(64, inner)

    with pytest.raises(TooDisturbed, match="always"):
        made.anew(64, outer)
    assert asked == ["outer", "inner"] * SEARCHES
    with pytest.raises(TooDisturbed):
        made.anew(64, inner)
    assert asked.count("inner") == 2 * SEARCHES
