"""Builds results.json from a journal, of a run that ended or of one that was killed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from lab.errors import UsageError
from lab.models import Model
from lab.results import events as ev
from lab.results.journal import FILE_NAME, read
from lab.results.memory import fullest
from lab.results.model import Measurement, Results, Search, SearchTrial

RESULTS_NAME = "results.json"
REPORT_NAME = "index.html"
LATEST_NAME = "latest"
_ROUNDING = 1e-9  # a load that went through float arithmetic may exceed the cap it was made from by this share

E = TypeVar("E", bound=Model)


def write_results(run_dir: Path) -> Path:
    """Build results.json of a run from its journal, replacing an earlier one in one step.

    Args:
        run_dir: folder of the run.

    Returns:
        The path of results.json.

    Raises:
        UsageError: the journal is missing, damaged or empty.

    """
    path = run_dir / RESULTS_NAME
    _replace(path, summarise(run_dir / FILE_NAME).model_dump_json(indent=1) + "\n")
    return path


def read_results(path: Path) -> Results:
    """Read a results.json.

    Raises:
        UsageError: it is missing or not of this schema.

    """
    try:
        return Results.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; give the results.json of a run") from None
    except ValueError as error:
        first = str(error).splitlines()
        raise UsageError(f"{path}: not a results.json of schema version 1: {' '.join(first[1:3])}") from None


def point_latest(run_dir: Path) -> None:
    """Let ``latest`` beside the run's folder point at it; a reader sees the old run or the new one, never none."""
    temporary = run_dir.parent / f".{LATEST_NAME}.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(run_dir.name)
    temporary.replace(run_dir.parent / LATEST_NAME)


def summarise(journal: Path) -> Results:
    """Build the results from a journal.

    A rate above line rate or above the generator's ceiling cannot have been measured: it is withheld, and recorded as
    an error of the lab.

    Raises:
        UsageError: the journal is missing, damaged, or does not begin with the start of a run.

    """
    content = read(journal)
    if not content.events or not isinstance(content.events[0], ev.RunStarted):
        raise UsageError(f"{journal}: no run began here; the first line must be a run-started event")
    started = content.events[0]
    events = fullest(content.events)
    booted = _last(events, ev.Booted)
    calibrated = _last(events, ev.Calibrated)
    ended = _last(events, ev.RunEnded)
    measurements = tuple(_capped(e.measurement) for e in _all(events, ev.Measured))
    searches = _searches(events)
    notes = (*content.notes, *(e.text for e in _all(events, ev.Noted)))
    resumed = len(_all(content.events, ev.RunResumed))
    if resumed:
        notes += (f"the run was killed and resumed{f' {resumed} times' if resumed > 1 else ''}",)
    if not ended:
        notes += ("the run did not end: this is what it had measured so far",)
    return Results(
        run_id=started.run_id,
        suite=started.suite,
        testbed=started.testbed,
        profile=started.profile,
        started_at=_iso(started.at_s),
        ended_at=_iso(ended.at_s) if ended else None,
        complete=ended is not None,
        exit_code=ended.exit_code if ended else None,
        image=booted.image if booted else None,
        boot=booted.boot if booted else None,
        environment=started.environment,
        generator=calibrated.generator if calibrated else None,
        dut=booted.dut if booted else None,
        measurements=measurements,
        searches=searches,
        latency=tuple(e.latency for e in _all(events, ev.LatencyMeasured)),
        reordering=tuple(e.reordering for e in _all(events, ev.ReorderingMeasured)),
        findings=tuple(e.finding for e in _all(events, ev.Found)),
        comparisons=tuple(e.comparison for e in _all(events, ev.Compared)),
        path_cycles=tuple(e.path for e in _all(events, ev.PathMeasured)),
        published=tuple(e.consistency for e in _all(events, ev.PublishedChecked)),
        tests=tuple(e.outcome for e in _all(events, ev.TestEnded)),
        lab_errors=_lab_errors(measurements, searches),
        notes=notes,
    )


def _all(events: Sequence[ev.Event], kind: type[E]) -> list[E]:
    return [e for e in events if isinstance(e, kind)]


def _last(events: Sequence[ev.Event], kind: type[E]) -> E | None:
    found = _all(events, kind)
    return found[-1] if found else None


def _capped(measurement: Measurement) -> Measurement:
    if measurement.unit != "pps":
        return measurement
    rates = [r for r in (measurement.value, measurement.low, measurement.high) if r is not None]
    for name, cap in (("line rate", measurement.line_rate_pps), ("generator's ceiling", measurement.ceiling_pps)):
        if cap is not None and rates and max(rates) > cap * (1.0 + _ROUNDING):
            error = f"{max(rates):.0f} pps is above the {name} of {cap:.0f} pps: withheld"
            return measurement.model_copy(
                update={
                    **dict.fromkeys(("value", "low", "high", "verdict", "likelihood_ratio", "reason")),
                    "error": error,
                }
            )
    return measurement


def _searches(events: Sequence[ev.Event]) -> tuple[Search, ...]:
    trials: dict[tuple[str, str, int], list[SearchTrial]] = {}
    errors: dict[tuple[str, str, int], str] = {}
    for event in events:
        if isinstance(event, ev.TrialEnded):
            result = event.trial.result
            key = (event.test, event.trial.search, result.request.frame_size_bytes)
            trials.setdefault(key, []).append(
                SearchTrial(
                    rate_pps=result.request.rate_pps,
                    duration_s=result.request.duration_s,
                    loss_ratio=result.loss_ratio,
                    valid=not result.invalid,
                    reasons=result.invalid,
                    disturbed=bool(event.disturbed),
                    hop_losses=result.hop_losses,
                )
            )
        elif isinstance(event, ev.SearchEnded):
            key = (event.test, event.kind, event.frame_size_bytes)
            errors.pop(key, None)  # a search that was begun anew and came to a result is no error any more
            if event.error:
                errors[key] = event.error
    return tuple(
        Search(test=test, kind=kind, frame_size_bytes=size, trials=tuple(trials.get(key, ())), error=errors.get(key))
        for key in dict.fromkeys((*trials, *errors))
        for test, kind, size in (key,)
    )


def _lab_errors(measurements: tuple[Measurement, ...], searches: tuple[Search, ...]) -> tuple[str, ...]:
    withheld = [f"{m.metric} at {m.frame_size_bytes} bytes: {m.error}" for m in measurements if m.error]
    failed = [s.error for s in searches if s.error]
    return tuple(dict.fromkeys((*withheld, *failed)))


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
