"""A calibration from end to end: measured, fitted in one state, frozen."""

from __future__ import annotations

from datetime import UTC, datetime

from lab.errors import UsageError
from lab.simulation.calibration import points
from lab.simulation.calibration.fit import fit
from lab.simulation.calibration.frozen import FittedPoint, Frozen, digest_of, with_alone
from lab.simulation.calibration.measure import Measurement, measure
from lab.simulation.calibration.states import State, alone, states
from lab.simulation.facts import HostFacts
from lab.simulation.machine import host
from lab.simulation.version import MODEL_VERSION


def calibrate(
    duration_s: float, cpus: tuple[int, int] | None, placement: str | None, draws: int, jobs: int | None
) -> tuple[Frozen, tuple[State, ...]]:
    """Measure this host and fit the core model.

    Args:
        duration_s: of the measurement; the fit takes about as long.
        cpus: the pair; None for the first two.
        placement: state whose windows are fitted; None for that with most windows.
        draws: of the priors.
        jobs: threads of the fit; None for all CPUs.

    Raises:
        SimulationError: too few undisturbed windows, or the probe does not run.
        UsageError: the machine was not seen in that state.

    """
    return from_measurement(measure(points.FITTED, duration_s, cpus), placement, draws, jobs)


def from_measurement(
    found: Measurement, placement: str | None, draws: int, jobs: int | None
) -> tuple[Frozen, tuple[State, ...]]:
    """Fit the core model to a measurement; as :func:`calibrate`."""
    seen = states(found, points.FITTED)
    state = _chosen(seen, placement)
    measured = state.of(points.FITTED)
    by_itself = alone(found)
    facts = HostFacts(
        tsc_hz=found.tsc_hz,
        c2c_latency_ns_low=state.latency_ns.low,
        c2c_latency_ns_median=state.latency_ns.median,
        c2c_latency_ns_high=state.latency_ns.high,
        windows=state.windows,
        interrupted_windows=state.left_out,
    )
    fitted = fit(with_alone(host(facts), by_itself), measured, draws, jobs=jobs)
    frozen = Frozen(
        model_version=MODEL_VERSION,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cpus=found.cpus,
        tsc_hz=found.tsc_hz,
        state=state.name,
        latency_ns=state.latency_ns,
        alone=by_itself,
        points=tuple(
            FittedPoint(
                point=each.point.title,
                latency_ns=each.latency_ns,
                measured=each.rate.median,
                fitted=rate,
                windows=each.windows,
            )
            for each, rate in zip(measured, fitted.predicted, strict=True)
        ),
        rms_log_error=fitted.rms_log_error,
        effective_samples=fitted.effective,
        samples=fitted.samples,
        data_digest=digest_of(found.model_dump(mode="json")),
    )
    return frozen.sealed(), seen


def _chosen(seen: tuple[State, ...], placement: str | None) -> State:
    if placement is None:
        return max(seen, key=lambda state: state.windows)
    for state in seen:
        if state.name == placement:
            return state
    raise UsageError(
        f"--placement {placement}: all windows saw {seen[0].latency_ns.median:.0f} ns one way, so there is only one "
        "state; leave the option out, or name a pair with --cpus that lies otherwise"
        if len(seen) == 1
        else f"--placement {placement}: there are: near, far"
    )
