"""Check 2: rings of two pinned threads of this host that no fit has seen, measured and predicted in one run."""

from __future__ import annotations

import numpy as np

from lab.simulation.calibration import frozen as frozen_file
from lab.simulation.calibration.frozen import Frozen
from lab.simulation.calibration.measure import measure
from lab.simulation.calibration.points import HELD_OUT
from lab.simulation.calibration.simulated import rates
from lab.simulation.calibration.states import Measured, State, states
from lab.simulation.errors import SimulationError
from lab.simulation.validation.check import Check

NUMBER, NAME = 2, "held-out points of this host"
LIMIT = 0.30
DURATION_S = 8.0
DRAWS = 24


def unfitted_rings(duration_s: float = DURATION_S, frozen: Frozen | None = None) -> Check:
    """Measure the held-out points and predict each from the latency that its own windows saw.

    Args:
        duration_s: of the measurement.
        frozen: the calibrated parameters; those of this host by default.

    Raises:
        SimulationError: the host cannot be measured.
        UsageError: the frozen file was changed.

    """
    frozen = frozen or frozen_file.load()
    if frozen is None:
        figure = "this host was never calibrated; run: pixlab calibrate"
        return Check(number=NUMBER, name=NAME, holds=None, figure=figure)
    seen = states(measure(HELD_OUT, duration_s, frozen.cpus, alone=False), HELD_OUT)
    detail: list[str] = []
    errors: list[float] = []
    for state in seen:
        try:
            measured = state.of(HELD_OUT)
        except SimulationError as error:
            detail.append(f"state {state.name} is not looked at: {error}")
            continue
        found = log_errors(frozen, measured)
        errors += found
        detail += _lines(state, measured, found)
    if not errors:
        return Check(number=NUMBER, name=NAME, holds=None, figure="too few undisturbed windows", detail=tuple(detail))
    rms = float(np.sqrt(np.mean(np.square(errors))))
    return Check(
        number=NUMBER,
        name=NAME,
        holds=rms <= LIMIT,
        figure=f"RMS log error {rms:.2f} over {len(errors)} points, fitted in state {frozen.state}",
        value=rms,
        relation="at most",
        limit=LIMIT,
        detail=tuple(detail),
    )


def log_errors(frozen: Frozen, measured: tuple[Measured, ...]) -> list[float]:
    """Return log(predicted / measured) of each point; the prediction is the median over draws of the frozen numbers."""
    machine = frozen.machine()
    simulated = rates(
        machine, frozen.draws(machine, DRAWS, seed=1), [(each.point, each.latency_ns) for each in measured]
    )
    predicted = np.median(np.log(simulated), axis=0)
    return [float(error) for error in predicted - np.log([each.rate.median for each in measured])]


def _lines(state: State, measured: tuple[Measured, ...], errors: list[float]) -> list[str]:
    seen = f"{state.windows} windows, {state.left_out} left out, {state.latency_ns.median:.1f} ns one way"
    return [f"state {state.name}: {seen}"] + [
        f"{each.point.title}: measured {each.rate.median / 1e6:.2f}, "
        f"predicted {each.rate.median * np.exp(error) / 1e6:.2f} M/s at {each.latency_ns:.1f} ns"
        for each, error in zip(measured, errors, strict=True)
    ]
