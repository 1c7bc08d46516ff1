"""What is simulated stands beside each rate, and what cannot be simulated is measured all the same."""

from __future__ import annotations

from typing import cast

import pytest

from lab.baselines import Baselines
from lab.measurements.core import Core
from lab.methods.bounds import Bounds
from lab.methods.load_limit import LoadLimit, load_limit
from lab.methods.profiles import QUICK
from lab.results.model import BaselineBand, LatencyBand, Measurement
from lab.run import Run
from lab.session import Session
from lab.simulation.errors import SimulationError

LIMIT = load_limit(64, 10.0, 2, None)


class Recorder:
    """A run that keeps what is recorded."""

    def __init__(self) -> None:
        self.found: list[Measurement] = []
        self.said: list[str] = []

    def say(self, line: str) -> None:
        """Keep it."""
        self.said.append(line)

    def record(self, measurement: Measurement) -> None:
        """Keep it."""
        self.found.append(measurement)


class Simulated:
    """Baselines of a machine: padded 9 to 11 Mpps, packed 4 to 5; no other frame size than 64 can be simulated."""

    def latency_bands(self, frame_size_bytes: int, offered_pps: float) -> dict[str, tuple[LatencyBand, ...]]:
        """Return the median of the padded layout."""
        self.bands(frame_size_bytes)
        load_us = offered_pps / 1e6
        return {"50": (LatencyBand(machine="host", layout="padded", low_us=0, median_us=load_us, high_us=9),)}

    def bands(self, frame_size_bytes: int) -> tuple[BaselineBand, ...]:
        """Return both."""
        if frame_size_bytes != 64:
            raise SimulationError(f"{frame_size_bytes} bytes: not simulated")
        return tuple(
            BaselineBand(
                machine="host", layout=layout, low_pps=low, median_pps=low * 1.1, high_pps=low * 1.2, limited_by="cpu"
            )
            for layout, low in (("padded", 9e6), ("packed", 4e6))
        )


def recorded(
    lower_pps: float | None, upper_pps: float | None, *, size: int = 64, doubt: bool = False, limit: LoadLimit = LIMIT
) -> Measurement:
    run = Recorder()
    core = Core(cast(Session, None), cast(Run, run), QUICK, calibration=None, baselines=cast(Baselines, Simulated()))
    bounds = Bounds(
        goal="NDR", frame_size_bytes=size, loss_ratio=0.0, lower_pps=lower_pps, upper_pps=upper_pps,
        upper_in_doubt=doubt, forwarding_pps=lower_pps, trials=3, invalid_trials=0,
    )  # fmt: skip
    core.record_bounds(bounds, limit)
    return run.found[0]


def test_a_bracket_is_judged_with_numbers() -> None:
    found = recorded(4.5e6, 4.6e6)
    assert (found.verdict, [band.layout for band in found.baselines]) == ("packed", ["padded", "packed"])
    assert found.likelihood_ratio is not None
    assert found.likelihood_ratio < 0.1
    assert found.reason is not None
    assert "measured 4.50 Mpps agrees with the simulated band of packed only" in found.reason


@pytest.mark.parametrize(("upper_pps", "doubt"), [(4.6e6, True), (None, False)])
def test_an_upper_bound_that_is_none_excludes_nothing_above(upper_pps: float | None, doubt: bool) -> None:
    found = recorded(4.5e6, upper_pps, doubt=doubt)
    assert found.verdict == "both"
    assert "at least 4.50 Mpps" in (found.reason or "")


def test_a_rate_below_every_load_that_was_asked_for_has_no_verdict() -> None:
    found = recorded(None, 1e6)
    assert (found.value, found.verdict, found.likelihood_ratio) == (None, None, None)
    assert found.baselines


def test_what_cannot_be_simulated_is_published_with_the_reason() -> None:
    found = recorded(4.5e6, 4.6e6, size=512)
    assert (found.value, found.verdict, found.baselines) == (4.5e6, None, ())
    assert found.reason == "no baseline of this case is simulated: 512 bytes: not simulated"


def test_latencies_have_what_is_simulated_at_their_load() -> None:
    run = Recorder()
    core = Core(cast(Session, None), cast(Run, run), QUICK, calibration=None, baselines=cast(Baselines, Simulated()))
    assert [band.median_us for band in core.latency_beside(64, 3e6)["50"]] == [3.0]
    assert core.latency_beside(512, 3e6) == {}
    assert run.said == ["no latency of this case is simulated: 512 bytes: not simulated"]
