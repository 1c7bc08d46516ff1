"""Latency at chosen loads (RFC 2544 section 26.2): repeated trials with a tagged stream, merged per direction."""

from __future__ import annotations

from collections.abc import Sequence

from lab.methods.bounds import Bounds
from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import LatencyRecord, Measurer, TrialRequest, TrialResult
from lab.methods.validity import ValidityLimits, disturbed
from lab.metrics.latency import merge
from lab.models import Model

SEARCH = "latency"
_TAGGED_SHARE = 0.1  # of the load at most: the tagged frames take another path through a generator


class LoadPoint(Model):
    """A load to measure at: ``name`` says what it is (``50 % of NDR``), ``rate_pps`` is summed over the directions."""

    name: str
    rate_pps: float


class LatencyPlan(Model):
    """What to measure, at one frame size: ``repetitions`` trials of ``trial_duration_s`` at each load."""

    frame_size_bytes: int
    loads: tuple[LoadPoint, ...]
    trial_duration_s: float
    repetitions: int
    tagged_rate_pps: float


class LatencyAtLoad(Model):
    """Latency of one direction at one load, over all its trials.

    ``percentiles_us`` is None where fewer than ten samples lie beyond a percentile; ``curve`` holds points (percentile,
    microseconds). ``disturbed_trials`` of the ``trials`` had pauses of a polling core that may themselves be the tail.
    """

    frame_size_bytes: int
    load: str
    rate_pps: float
    tx_port: int
    rx_port: int
    samples: int
    min_us: float
    mean_us: float
    max_us: float
    percentiles_us: dict[str, float | None]
    curve: tuple[tuple[float, float], ...]
    lost_frames: int
    trials: int
    disturbed_trials: int
    source: str


def load_points(bounds: Bounds, fractions: Sequence[float]) -> tuple[LoadPoint, ...]:
    """Return the loads at fractions of the lower bound of a search; none where no load met its goal."""
    lower_pps = bounds.lower_pps
    if lower_pps is None:
        return ()
    return tuple(LoadPoint(name=f"{100 * f:g} % of {bounds.goal}", rate_pps=f * lower_pps) for f in fractions)


def tagged_rate_pps(wanted_pps: float, load_pps: float) -> float:
    """Return the rate of the tagged stream of each direction: as wanted, but no more than a tenth of the whole load."""
    return min(wanted_pps, _TAGGED_SHARE * load_pps)


def measure(measurer: Measurer, plan: LatencyPlan, conditions: Conditions) -> tuple[LatencyAtLoad, ...]:
    """Measure the latency at each load of the plan.

    Loss makes no trial invalid here, as a lost frame has no latency; it is reported beside the latency.

    Args:
        measurer: runs single trials; invalid ones are repeated here.
        plan: what to measure.
        conditions: of the run.

    Returns:
        One record for each load and direction; none where the generator measured no latency.

    Raises:
        TooDisturbed: a trial never counted.
        ValueError: a histogram is damaged.

    """
    runs = len(plan.loads) * plan.repetitions
    trials = Trials(measurer, conditions, SEARCH, expected_s=runs * (plan.trial_duration_s + conditions.overhead_s))
    return tuple(
        one for load in plan.loads for one in _at_load(load, _repeat(trials, plan, load), plan, conditions.limits)
    )


def _repeat(trials: Trials, plan: LatencyPlan, load: LoadPoint) -> list[TrialResult]:
    request = TrialRequest(
        frame_size_bytes=plan.frame_size_bytes,
        rate_pps=load.rate_pps,
        duration_s=plan.trial_duration_s,
        tagged=True,
        tagged_rate_pps=tagged_rate_pps(plan.tagged_rate_pps, load.rate_pps),
    )
    return [trials.measure(request) for _ in range(plan.repetitions)]


def _at_load(
    load: LoadPoint, results: list[TrialResult], plan: LatencyPlan, limits: ValidityLimits
) -> list[LatencyAtLoad]:
    by_direction: dict[tuple[int, int], list[LatencyRecord]] = {}
    for result in results:
        for record in result.latency:
            by_direction.setdefault((record.tx_port, record.rx_port), []).append(record)
    made = []
    for (tx_port, rx_port), records in by_direction.items():
        merged = merge(records)
        lost = [d.lost_frames for r in results for d in r.directions if (d.tx_port, d.rx_port) == (tx_port, rx_port)]
        made.append(
            LatencyAtLoad(
                frame_size_bytes=plan.frame_size_bytes,
                load=load.name,
                rate_pps=load.rate_pps,
                tx_port=tx_port,
                rx_port=rx_port,
                samples=merged.count,
                min_us=merged.min_ns / 1000,
                mean_us=merged.mean_ns / 1000,
                max_us=merged.max_ns / 1000,
                percentiles_us=merged.percentiles_us(),
                curve=merged.curve(),
                lost_frames=sum(lost),
                trials=len(results),
                disturbed_trials=sum(bool(disturbed(r, limits)) for r in results),
                source=records[0].source,
            )
        )
    return made
