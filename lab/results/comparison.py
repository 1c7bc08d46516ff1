"""Two runs of a store, compared measurement by measurement.

One run says little: the machine may have been slow that day. So a side has the values of all runs like it (the same
thing on the same testbed, host and profile), and where these are few, the spread that runs of this testbed are known to
have. Two runs that are alike themselves are compared alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lab.metrics.difference import MATTERS, Better, Difference, tell
from lab.metrics.statistics import Modes, relative_sd, two_modes
from lab.models import Model
from lab.results.model import Measurement
from lab.results.store import tables

BETTER: Mapping[str, Better] = {
    "pps": "more",
    "frames/s": "more",
    "messages/s": "more",
    "updates/s": "more",
    "us": "less",
    "s": "less",
    "exits/s": "less",
    "1": "less",  # ratios of lost or reordered frames
}
"""By unit; of back-to-back frames more is better, of other counts of frames nobody knows."""

_REPEATED_TRIALS = 4  # from which on repeated trials of one run are a sample

Key = tuple[int, str]
"""Frame size and metric: which test asked for a number is chance, as what one has found serves the next."""


class Side(Model):
    """One measurement of one side: that of the run that was asked for, and ``values`` of all that count for it."""

    measurement: Measurement
    values: tuple[float, ...]
    modes: Modes | None

    @property
    def at_limit(self) -> bool:
        """Whether the value is the greatest load that could be asked for, so that the truth may be more."""
        return at_limit(self.measurement)


class MeasurementComparison(Model):
    """One measurement that both runs have. ``of`` says what the values are; no difference is told without values."""

    frame_size_bytes: int
    metric: str
    unit: str
    of: str
    first: Side
    second: Side
    difference: Difference | None


class RunComparison(Model):
    """All measurements that two runs share, and the names of those that only one has."""

    first: str
    second: str
    matters: float
    measurements: tuple[MeasurementComparison, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


def compare(session: Session, first: tables.Run, second: tables.Run, matters: float = MATTERS) -> RunComparison:
    """Compare two runs; the second is judged by the first.

    Args:
        session: of the store.
        first: the older one, as a rule.
        second: the newer one.
        matters: the least difference that matters, as a share.

    """
    near = _near(session, first, second)
    found = {run.run_id: measurements_of(session, run) for run in near}
    groups = {kind: [run.run_id for run in near if _kind(run) == kind] for kind in map(_kind, near)}
    alike = _kind(first) == _kind(second)
    sides = [[run.run_id] if alike else groups[_kind(run)] for run in (first, second)]
    own, other = found[first.run_id], found[second.run_id]
    compared = []
    for key in (key for key in own if key in other):
        pair = [[m.value for run in side if (m := found[run].get(key)) and m.value is not None] for side in sides]
        spread = relative_sd([_above_0(found, runs, key) for runs in groups.values()])
        compared.append(_one(session, (first, second), (own[key], other[key]), pair, spread, matters))
    return RunComparison(
        first=first.run_id,
        second=second.run_id,
        matters=matters,
        measurements=tuple(compared),
        only_first=tuple(_name(key) for key in own if key not in other),
        only_second=tuple(_name(key) for key in other if key not in own),
    )


def _one(
    session: Session,
    runs: tuple[tables.Run, tables.Run],
    measured: tuple[Measurement, Measurement],
    values: list[list[float]],
    spread: tuple[float, int] | None,
    matters: float,
) -> MeasurementComparison:
    of = "runs"
    if max(map(len, values)) == 1:
        trials = [_repeated(session, run, measurement) for run, measurement in zip(runs, measured, strict=True)]
        if min(map(len, trials)) >= _REPEATED_TRIALS:
            of, values, spread = "trials of one run each", trials, None
    first, second = (
        Side(measurement=measurement, values=tuple(one), modes=two_modes(one))
        for measurement, one in zip(measured, values, strict=True)
    )
    told = None
    if measured[0].value is not None and measured[1].value is not None and min(*first.values, *second.values) >= 0:
        told = tell(
            first.values,
            second.values,
            better=better_of(measured[1]),
            matters=matters,
            spread=spread,
            at_limit=(first.at_limit, second.at_limit),
        )
    return MeasurementComparison(
        frame_size_bytes=measured[0].frame_size_bytes,
        metric=measured[0].metric,
        unit=measured[0].unit,
        of=of,
        first=first,
        second=second,
        difference=told,
    )


def _near(session: Session, first: tables.Run, second: tables.Run) -> Sequence[tables.Run]:
    """Return the runs of the testbeds, hosts and profiles of both runs, which their spread may be told by."""
    places = {(run.testbed, run.host, run.profile) for run in (first, second)}
    runs = session.scalars(select(tables.Run).order_by(tables.Run.started_at_s))
    return [run for run in runs if (run.testbed, run.host, run.profile) in places]


def _kind(run: tables.Run) -> tuple[str, ...]:
    """Return what is the same of runs that repeat each other."""
    return run.testbed, run.host, run.profile, run.subject, run.subject_version, run.subject_build


def measurements_of(session: Session, run: tables.Run) -> dict[Key, Measurement]:
    """Return the measurements of a run; where one was made twice, the last."""
    table = tables.Measurement
    query = select(table.record).where(table.run_id == run.run_id).order_by(table.number)
    measured = [Measurement.model_validate(record) for record in session.scalars(query)]
    return {(one.frame_size_bytes, one.metric): one for one in measured}


def _repeated(session: Session, run: tables.Run, measurement: Measurement) -> list[float]:
    """Return what arrived a second in each valid trial, where a method repeats one trial (MRR); none of a search."""
    table = tables.Trial
    query = select(table).where(
        table.run_id == run.run_id,
        table.test == measurement.test,
        table.search == measurement.metric,
        table.frame_size_bytes == measurement.frame_size_bytes,
        table.valid,
    )
    trials = session.scalars(query).all()
    if measurement.unit != "pps" or len({(trial.rate_pps, trial.duration_s) for trial in trials}) != 1:
        return []
    return [trial.received_frames / trial.duration_s for trial in trials]


def _above_0(found: Mapping[str, Mapping[Key, Measurement]], runs: Sequence[str], key: Key) -> list[float]:
    values = [found[run][key].value for run in runs if key in found[run]]
    return [value for value in values if value is not None and value > 0]


def at_limit(measurement: Measurement) -> bool:
    """Say whether a value is the greatest load that could be asked for, so that the truth may be more."""
    return measurement.value is not None and measurement.low is not None and measurement.high is None


def better_of(measurement: Measurement) -> Better:
    """Say whether more or less of what was measured is better."""
    if measurement.unit == "frames" and measurement.metric.startswith("back-to-back"):
        return "more"
    return BETTER.get(measurement.unit, "unknown")


def _name(key: Key) -> str:
    frame_size_bytes, metric = key
    return f"{metric} at {frame_size_bytes} bytes" if frame_size_bytes else metric
