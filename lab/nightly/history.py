"""What the store knows of a job: how long it took the last time, and what its measurements were in the nights before.

A night looks at many measurements, and each of them is off by chance now and then. So the confidence of each interval
is such (Bonferroni) that 95 % of the nights of an unchanged system have no regression at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lab.metrics.difference import tell
from lab.metrics.statistics import CONFIDENCE, relative_sd
from lab.nightly.night import Judged
from lab.nightly.plan import Plan
from lab.results.comparison import at_limit, better_of, measurements_of
from lab.results.model import Measurement
from lab.results.store import Database, store_url, tables


def durations_s(testbed: str, store: str | None) -> Mapping[tuple[str, str, str], float]:
    """Return how long the last run that came to its end took, by (suite, subject, profile)."""
    database = Database(store_url(store))
    try:
        with database.reading() as session:
            query = select(tables.Run).where(tables.Run.testbed == testbed, tables.Run.complete)
            runs = session.scalars(query.order_by(tables.Run.started_at_s)).all()
            return {
                (run.suite, run.subject, run.profile): run.ended_at_s - run.started_at_s
                for run in runs
                if run.ended_at_s is not None and run.passed + run.failed
            }
    finally:
        database.close()


def judge(run_id: str, plan: Plan, store: str | None) -> tuple[Judged, ...]:
    """Judge the measurements of a run by those of the runs before it that are like it, whatever build they had.

    Like it are complete runs without an error of the lab, of the same suite, testbed, host, profile and subject.
    Nothing is judged of a run that is not in the store.
    """
    database = Database(store_url(store))
    try:
        with database.reading() as session:
            run = session.get(tables.Run, run_id)
            return () if run is None else _judged(session, run, plan)
    finally:
        database.close()


def _judged(session: Session, run: tables.Run, plan: Plan) -> tuple[Judged, ...]:
    before = [measurements_of(session, one) for one in _before(session, run, plan.history_runs)]
    own = {key: one for key, one in measurements_of(session, run).items() if one.value is not None}
    known = {key: [of_run[key] for of_run in before if key in of_run] for key in own}
    judgeable = sum(bool(known[key]) and better_of(one) != "unknown" for key, one in own.items())
    confidence = 1 - (1 - CONFIDENCE) / max(1, judgeable)
    return tuple(_one(one, known[key], plan.matters_percent / 100, confidence) for key, one in own.items())


def _one(own: Measurement, known: Sequence[Measurement], matters: float, confidence: float) -> Judged:
    assert own.value is not None, "those without a value are left out before"
    before = tuple(one.value for one in known if one.value is not None)
    told = None
    if before and min(*before, own.value) >= 0:
        told = tell(
            before,
            [own.value],
            better=better_of(own),
            matters=matters,
            spread=relative_sd([[value for value in before if value > 0]]),
            at_limit=(all(map(at_limit, known)), at_limit(own)),
            confidence=confidence,
        )
    return Judged(
        metric=own.metric,
        frame_size_bytes=own.frame_size_bytes,
        unit=own.unit,
        value=own.value,
        before=before,
        difference=told,
    )


def _before(session: Session, run: tables.Run, most: int) -> Sequence[tables.Run]:
    alike = (
        getattr(tables.Run, name) == getattr(run, name) for name in ("suite", "testbed", "host", "profile", "subject")
    )
    query = select(tables.Run).where(*alike, tables.Run.complete, tables.Run.started_at_s < run.started_at_s)
    newest = session.scalars(query.order_by(tables.Run.started_at_s.desc())).all()
    return [one for one in newest if not one.lab_errors][:most][::-1]
