"""Check 3: which of two is faster, simulated at the latencies of a near and a far pair, and measured on this host.

Near (one core complex), a packed ring can beat a padded one; far, padded wins; caching the opposite index gains more
than twofold at batch 1; counters that share a line cost more than counters that do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.errors import LabError
from lab.simulation.calibration import frozen as frozen_file
from lab.simulation.calibration.frozen import with_open_speculation
from lab.simulation.calibration.measure import measure
from lab.simulation.calibration.points import COUNTERS, PACKED_BYTES, PADDED_BYTES, Point
from lab.simulation.calibration.simulated import rates
from lab.simulation.calibration.states import Measured, State, states
from lab.simulation.facts import HostFacts
from lab.simulation.machine import Machine, host
from lab.simulation.validation.check import Check

NUMBER, NAME = 3, "signs of false sharing between two cores"
NEAR_NS, FAR_NS = 26.0, 106.0
"""One-way latencies of the two states of the host whose signs are known (shared facts: measured there)."""
CACHING_GAIN = 2.0
COUNTER_NS = (2.0, 8.0)
"""A locked increment of a counter alone in its line and beside another's, as measured near there."""
DURATION_S = 4.0
DRAWS = 48
CLEAR = 1.05  # measured ratios nearer to 1 have no sign


def _ring(variant: str, apart_bytes: int) -> Point:
    return Point.model_validate({"variant": variant, "batch": 1, "apart_bytes": apart_bytes})


PACKED, PADDED = _ring("lamport", PACKED_BYTES), _ring("lamport", PADDED_BYTES)
CACHED = _ring("cached", PADDED_BYTES)
POINTS = (PACKED, PADDED, CACHED, _ring("cached", PACKED_BYTES), *COUNTERS)


@dataclass(frozen=True)
class Sign:
    """One statement, whether it holds in the simulation, and the figures."""

    holds: bool
    text: str


def signs_of_sharing(duration_s: float = DURATION_S) -> Check:
    """Simulate the signs near and far; measure this host, and compare the signs where it has any.

    Raises:
        UsageError: the frozen file was changed.

    """
    frozen = frozen_file.load()
    machine = frozen.machine() if frozen else _assumed()
    draws = frozen.draws(machine, DRAWS, seed=2) if frozen else machine.draws(DRAWS, seed=2)
    found = simulated_signs(machine, draws)
    unseen = ""
    try:
        for state in states(measure(POINTS, duration_s, alone=False), POINTS):
            found += measured_signs(state, machine, draws)
    except LabError as error:
        unseen = f"not looked at: this host was not measured: {error}"
    failed = sum(not sign.holds for sign in found)
    return Check(
        number=NUMBER,
        name=NAME,
        holds=not failed,
        figure=f"{failed} of {len(found)} not as they must be",
        value=failed,
        relation="equal",
        limit=0,
        detail=(
            *(f"{'holds' if sign.holds else 'FAILS'}: {sign.text}" for sign in found),
            *([unseen] if unseen else []),
        ),
    )


def _assumed() -> Machine:
    """Return a host of which nothing was measured: only its core model counts, latencies are given."""
    facts = HostFacts(tsc_hz=2.6e9, c2c_latency_ns_low=1, c2c_latency_ns_median=1, c2c_latency_ns_high=1)
    return with_open_speculation(host(facts))


def simulated_signs(machine: Machine, draws: Sequence[dict[str, float]]) -> list[Sign]:
    """Return the signs of the simulation at both latencies."""
    near, far = (_simulate(machine, draws, latency_ns) for latency_ns in (NEAR_NS, FAR_NS))
    can_beat = near[PACKED] / near[PADDED]
    wins = np.median(far[PADDED] / far[PACKED])
    signs = [
        Sign(bool(can_beat.max() > 1), f"near, packed can beat padded: {_spread(can_beat)} times as fast"),
        Sign(bool(wins > 1), f"far, padded wins: {_spread(far[PADDED] / far[PACKED])} times as fast"),
    ]
    for name, found in (("near", near), ("far", far)):
        gain = found[CACHED] / found[PADDED]
        signs.append(
            Sign(
                bool(np.median(gain) > CACHING_GAIN), f"{name}, caching the opposite index gains {_spread(gain)} times"
            )
        )
    together, apart = (2e9 / near[point] for point in COUNTERS)
    signs.append(
        Sign(
            bool(np.median(together) > np.median(apart)),
            f"near, a locked increment takes {_spread(apart)} ns alone in its line, {_spread(together)} ns beside "
            f"another's (measured elsewhere: {COUNTER_NS[0]} and {COUNTER_NS[1]} ns)",
        )
    )
    return signs


def measured_signs(state: State, machine: Machine, draws: Sequence[dict[str, float]]) -> list[Sign]:
    """Compare the signs that were measured in a state with those simulated at its latency."""
    latency_ns = state.latency_ns.median
    found = {each.point: each for each in state.measured}
    simulated = _simulate(machine, draws, latency_ns)
    return [
        _agreement(f"state {state.name} ({latency_ns:.0f} ns), {name}", found[first], found[second], simulated)
        for name, first, second in (
            ("packed / padded", PACKED, PADDED),
            ("cached / uncached", CACHED, PADDED),
            ("counters padded / packed", COUNTERS[1], COUNTERS[0]),
        )
        if first in found and second in found
    ]


def _agreement(name: str, first: Measured, second: Measured, simulated: dict[Point, NDArray[np.float64]]) -> Sign:
    ratio = first.rate.median / second.rate.median
    predicted = float(np.median(simulated[first.point] / simulated[second.point]))
    clear = max(ratio, 1 / ratio) >= CLEAR
    return Sign(
        holds=not clear or (ratio > 1) == (predicted > 1),
        text=f"{name}: measured {ratio:.2f}, simulated {predicted:.2f}"
        + ("" if clear else " (measured: no clear sign)"),
    )


def _simulate(
    machine: Machine, draws: Sequence[dict[str, float]], latency_ns: float
) -> dict[Point, NDArray[np.float64]]:
    found = rates(machine, draws, [(point, latency_ns) for point in POINTS])
    return {point: found[:, column] for column, point in enumerate(POINTS)}


def _spread(values: NDArray[np.float64]) -> str:
    low, median, high = np.quantile(values, (0.05, 0.5, 0.95))
    return f"{median:.2f} ({low:.2f} to {high:.2f})"
