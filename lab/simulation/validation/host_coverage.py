"""How many held-out points of this host lie inside their intervals: measured and predicted in one run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lab.simulation.calibration.frozen import Frozen
from lab.simulation.calibration.measure import measure
from lab.simulation.calibration.points import HELD_OUT
from lab.simulation.calibration.states import Measured, State, states
from lab.simulation.errors import SimulationError
from lab.simulation.machine import exactly
from lab.simulation.prediction.model import Band
from lab.simulation.prediction.predictor import predict
from lab.simulation.prediction.question import Question

DURATION_S = 8.0


@dataclass(frozen=True)
class Covered:
    """Truths, those inside their 90 % interval, and what there is to say of them."""

    count: int
    inside: int
    detail: tuple[str, ...]


def host_coverage(frozen: Frozen, jobs: int, duration_s: float = DURATION_S) -> Covered:
    """Measure the held-out points of this host, and predict each at the latency that its own windows saw.

    Args:
        frozen: calibrated parameters, fitted to other points.
        jobs: simulations at a time, after the measurement.
        duration_s: of the measurement.

    Raises:
        SimulationError: the host cannot be measured.

    """
    return covered(frozen, states(measure(HELD_OUT, duration_s, frozen.cpus, alone=False), HELD_OUT), jobs)


def covered(frozen: Frozen, seen: tuple[State, ...], jobs: int) -> Covered:
    """Count the measured points inside their intervals, in all states that have enough windows."""
    count, inside, detail = 0, 0, []
    for state in seen:
        try:
            measured = state.of(HELD_OUT)
        except SimulationError as error:
            detail.append(f"host, state {state.name}: not looked at: {error}")
            continue
        for each in measured:
            band = _predicted(frozen, each, jobs)
            count += 1
            if band.low <= each.rate.median <= band.high:
                inside += 1
            else:
                detail.append(
                    f"host, state {state.name}: {each.point.title} measured {each.rate.median / 1e6:.2f}, outside "
                    f"{band.low / 1e6:.2f} to {band.high / 1e6:.2f} million a second"
                )
    return Covered(count, inside, tuple(detail))


def _predicted(frozen: Frozen, measured: Measured, jobs: int) -> Band:
    machine = frozen.machine()
    near = exactly(measured.latency_ns, "ns", "measured: CAS ping-pong around the windows of this point")
    machine = replace(machine, ranges={**machine.ranges, "near": near})
    point = measured.point
    return predict(Question(machine, point.workload.name, point.layout, point.case, frozen=frozen), jobs).rate_pps
