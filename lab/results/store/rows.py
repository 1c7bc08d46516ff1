"""What of a run goes into which table: the journal gives what it has with its test, the results what is published."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from lab.methods.trial import ReorderingRecord
from lab.models import Model
from lab.results import events as ev
from lab.results.model import Results
from lab.results.store import tables

LISTS = frozenset({"measurements", "searches", "latency", "reordering", "findings", "comparisons", "tests"})
"""Fields of the results that have tables of their own."""

_HAS_TABLE = (
    ev.RunStarted,
    ev.SearchStarted,
    ev.TrialEnded,
    ev.SearchEnded,
    ev.Measured,
    ev.LatencyMeasured,
    ev.ReorderingMeasured,
    ev.Compared,
    ev.TestEnded,
    ev.RunEnded,
)


def rows(results: Results, events: Sequence[ev.Event]) -> list[tables.Table]:
    """Return all rows of a run.

    Args:
        results: of the run.
        events: of its fullest attempt (lab.results.memory), the start of the run first.

    """
    made: list[tables.Table] = [_run(results, events)]
    for part in (_from_events(results.run_id, events), _from_results(results)):
        made.extend(part)
    return made


def _run(results: Results, events: Sequence[ev.Event]) -> tables.Run:
    image, dut = results.image, results.dut
    outcomes = Counter(one.outcome for one in results.tests)
    started = events[0]
    assert isinstance(started, ev.RunStarted), "results are made of journals that begin so"
    return tables.Run(
        run_id=results.run_id,
        suite=results.suite,
        testbed=results.testbed,
        profile=results.profile,
        host=results.environment.host,
        started_at_s=started.at_s,
        ended_at_s=events[-1].at_s if results.complete else None,
        complete=results.complete,
        exit_code=results.exit_code,
        subject=image.name if image else dut.name if dut else started.subject,
        subject_version=image.version if image else dut.version if dut else "",
        subject_build=image.asked_sha256
        if image
        else dut.details.get("reference", "").rpartition("build ")[2]
        if dut
        else "",
        passed=outcomes["passed"],
        failed=outcomes["failed"] + outcomes["error"],
        skipped=outcomes["skipped"],
        lab_errors=list(results.lab_errors),
        notes=list(results.notes),
        record={name: value for name, value in whole(results).items() if name not in LISTS},
    )


def _from_events(run_id: str, events: Sequence[ev.Event]) -> Iterator[tables.OfRun]:
    numbers: dict[type[tables.OfRun], int] = {}

    def number(table: type[tables.OfRun]) -> int:
        numbers[table] = numbers.get(table, 0) + 1
        return numbers[table]

    for event in events:
        if isinstance(event, ev.TrialEnded):
            yield _trial(run_id, number(tables.Trial), event)
        elif isinstance(event, ev.SearchEnded):
            yield _row(tables.Search, run_id, number(tables.Search), whole(event))
        elif isinstance(event, ev.TestEnded):
            yield _row(tables.Test, run_id, number(tables.Test), whole(event.outcome), at_s=event.at_s)
        elif isinstance(event, ev.LatencyMeasured):
            yield _latency(run_id, number(tables.Latency), event)
        elif isinstance(event, ev.ReorderingMeasured):
            for way in event.reordering.records:
                yield _reordering(run_id, number(tables.Reordering), event, way)
        elif not isinstance(event, _HAS_TABLE):
            yield _finding(run_id, number(tables.Finding), event)


def _trial(run_id: str, number: int, event: ev.TrialEnded) -> tables.Trial:
    result = event.trial.result
    return tables.Trial(
        run_id=run_id,
        number=number,
        at_s=event.at_s,
        test=event.test,
        search=event.trial.search,
        search_number=event.trial.number,
        frame_size_bytes=result.request.frame_size_bytes,
        rate_pps=result.request.rate_pps,
        duration_s=result.duration_s,
        intended_frames=sum(way.intended_frames for way in result.directions),
        sent_frames=result.sent_frames,
        received_frames=sum(way.received_frames for way in result.directions),
        lost_frames=result.lost_frames,
        loss_ratio=result.loss_ratio,
        valid=not result.invalid,
        reasons=list(result.invalid),
        disturbed=list(event.disturbed),
        record=whole(result),
    )


def _latency(run_id: str, number: int, event: ev.LatencyMeasured) -> tables.OfRun:
    percentiles_us = event.latency.percentiles_us
    named = {f"p{name.replace('.', '_')}_us": percentiles_us.get(name) for name in ("50", "99", "99.9")}
    return _row(tables.Latency, run_id, number, whole(event.latency), test=event.test, **named)


def _reordering(run_id: str, number: int, event: ev.ReorderingMeasured, way: ReorderingRecord) -> tables.OfRun:
    load = {name: value for name, value in whole(event.reordering).items() if name != "records"}
    return _row(tables.Reordering, run_id, number, {**load, **whole(way)}, test=event.test)


def _finding(run_id: str, number: int, event: Model) -> tables.Finding:
    """Return an event that has no table; a method's result is named after the field that it is in."""
    values = whole(event)
    result = values["finding"] if isinstance(event, ev.Found) else values
    inner = {name: value for name, value in result.items() if isinstance(value, dict)}
    sizes = [part["frame_size_bytes"] for part in (result, *inner.values()) if "frame_size_bytes" in part]
    return tables.Finding(
        run_id=run_id,
        number=number,
        at_s=values["at_s"],
        kind=next(iter(inner), "found") if isinstance(event, ev.Found) else values["event"],
        test=result.get("test", ""),
        frame_size_bytes=sizes[0] if sizes else 0,
        record=values,
    )


def _from_results(results: Results) -> Iterator[tables.OfRun]:
    run_id = results.run_id
    for number, measurement in enumerate(results.measurements, start=1):
        yield _row(tables.Measurement, run_id, number, whole(measurement))
    for number, comparison in enumerate(results.comparisons, start=1):
        yield _row(tables.Comparison, run_id, number, whole(comparison), place=comparison.where)


def _row(table: type[tables.OfRun], run_id: str, number: int, record: dict[str, Any], **more: Any) -> tables.OfRun:
    """Return a row with what of the record and of more has a column, and the record whole where the table has it."""
    columns = set(table.__table__.columns.keys())
    own = {name: value for name, value in {**record, **more}.items() if name in columns}
    kept = {"record": record} if "record" in columns else {}
    return table(run_id=run_id, number=number, **own, **kept)


def whole(model: Model) -> dict[str, Any]:
    """Return a record as what every database keeps as JSON: no NaN, no infinity, no NUL in a text."""
    text = model.model_dump_json().replace(r"\u0000", r"\ufffd")
    values: dict[str, Any] = json.loads(text)
    return values
