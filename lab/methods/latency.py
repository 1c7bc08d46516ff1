"""Latency at chosen loads (RFC 2544 section 26.2): repeated trials with a tagged stream, merged per direction."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from lab.methods.bounds import Bounds
from lab.methods.repeat import Conditions, Trials
from lab.methods.trial import LatencyRecord, Measurer, TrialRequest, TrialResult
from lab.methods.validity import ValidityLimits, disturbed
from lab.metrics.latency import merge
from lab.metrics.variation import Jitter, jitter
from lab.models import Model

SEARCH = "latency"
STORE_AND_FORWARD = "store-and-forward"
"""The definition of RFC 1242 section 3.8 that all figures here are by: from the last bit in to the first bit out. Every
DUT of the lab receives a whole frame before it sends it on, and the generator's stamps are of whole frames."""

_TAGGED_SHARE = 0.1  # of the load at most: the tagged frames take another path through a generator


class LoadPoint(Model):
    """A load to measure at: ``name`` says what it is (``50 % of NDR``), ``rate_pps`` is summed over the directions.

    A rate of 0 is that of tagged frames alone: the latency of a DUT that has nothing else to do.
    """

    name: str
    rate_pps: float


class LatencyPlan(Model):
    """What to measure, at one frame size: ``repetitions`` trials of ``trial_duration_s`` at each load.

    Tagged frames are sent all the time at ``tagged_rate_pps`` in each of the ``directions``. With ``tagged_frames``
    there are only so many of them in each direction and trial, from ``tagged_after_s`` on: one after 60 s of 120 s is
    RFC 2544's way, with 20 repetitions. ``floor_us`` is the median latency of the generator by itself, where known.
    """

    frame_size_bytes: int
    loads: tuple[LoadPoint, ...]
    trial_duration_s: float
    repetitions: int
    tagged_rate_pps: float
    tagged_frames: int | None = None
    tagged_after_s: float = 0.0
    directions: int = 2
    floor_us: float | None = None

    def request(self, load: LoadPoint) -> TrialRequest:
        """Return the trial of each repetition at a load."""
        alone = load.rate_pps == 0
        rate_pps = self.directions * self.tagged_rate_pps if alone else load.rate_pps
        few = self.tagged_frames is not None or alone
        return TrialRequest(
            frame_size_bytes=self.frame_size_bytes,
            rate_pps=rate_pps,
            duration_s=self.trial_duration_s,
            tagged=True,
            tagged_rate_pps=self.tagged_rate_pps if few else tagged_rate_pps(self.tagged_rate_pps, rate_pps),
            tagged_frames=self.tagged_frames,
            tagged_after_s=self.tagged_after_s,
            tagged_only=alone,
        )


class LatencyAtLoad(Model):
    """Latency of one direction at one load, over all its trials.

    ``percentiles_us`` is None where fewer than ten samples lie beyond a percentile; ``curve`` holds points (percentile,
    microseconds). ``disturbed_trials`` of the ``trials`` had pauses of a polling core that may themselves be the tail;
    the ``invalid_trials`` are none of them.

    ``average_us`` is what RFC 2544 section 26.2 reports: the average of ``repetitions_us``, which are the mean
    latencies of the trials in which a tagged frame arrived. ``definition`` is the one of RFC 1242 section 3.8.
    ``floor_us`` is the median of the generator by itself, which is part of all these figures and not subtracted.
    ``jitter`` is by RFC 3393 and RFC 5481.
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
    invalid_trials: int = 0
    average_us: float | None = None
    repetitions_us: tuple[float, ...] = ()
    tagged_frames: int | None = None
    definition: str = STORE_AND_FORWARD
    floor_us: float | None = None
    jitter: Jitter | None = None


def load_points(bounds: Bounds, fractions: Sequence[float]) -> tuple[LoadPoint, ...]:
    """Return the loads at fractions of the lower bound of a search, 0 among them; none where no load met its goal."""
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
    return tuple(one for load in plan.loads for one in _at_load(trials, load, plan, conditions.limits))


def _at_load(trials: Trials, load: LoadPoint, plan: LatencyPlan, limits: ValidityLimits) -> list[LatencyAtLoad]:
    """Run the repetitions at one load and merge them, direction by direction."""
    invalid_before = trials.invalid_count
    results = [trials.measure(plan.request(load)) for _ in range(plan.repetitions)]
    invalid_trials = trials.invalid_count - invalid_before
    by_direction: dict[tuple[int, int], list[LatencyRecord]] = {}
    for result in results:
        for record in result.latency:
            by_direction.setdefault((record.tx_port, record.rx_port), []).append(record)
    return [
        _merged(load, records, results, plan, limits).model_copy(update={"invalid_trials": invalid_trials})
        for records in by_direction.values()
    ]


def _merged(
    load: LoadPoint,
    records: list[LatencyRecord],
    results: list[TrialResult],
    plan: LatencyPlan,
    limits: ValidityLimits,
) -> LatencyAtLoad:
    """Merge the records of one direction, one a trial in which a tagged frame arrived."""
    tx_port, rx_port = records[0].tx_port, records[0].rx_port
    merged = merge(records)
    lost = [d.lost_frames for r in results for d in r.directions if (d.tx_port, d.rx_port) == (tx_port, rx_port)]
    means_us = tuple(record.mean_ns / 1000 for record in records if record.count)
    return LatencyAtLoad(
        frame_size_bytes=plan.frame_size_bytes,
        load=load.name,
        rate_pps=plan.request(load).rate_pps,
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
        average_us=statistics.fmean(means_us) if means_us else None,
        repetitions_us=means_us,
        tagged_frames=plan.tagged_frames,
        floor_us=plan.floor_us,
        jitter=jitter(records),
    )
