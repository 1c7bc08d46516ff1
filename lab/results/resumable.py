"""Which run of reports/ was killed, or interrupted, and can go on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lab import paths
from lab.errors import UsageError, near_misses
from lab.results import events as ev
from lab.results.journal import FILE_NAME, read
from lab.results.writer import REPORT_NAME

_INTERRUPTED = 2


def newest(kind: Mapping[str, str]) -> tuple[Path, tuple[ev.Event, ...]]:
    """Return the folder and the events of the newest run of a kind that did not end.

    Args:
        kind: suite, testbed, image, profile and tests of the run, by these names.

    Raises:
        UsageError: there is none.

    """
    for journal in sorted(paths.REPORTS.glob(f"*/{FILE_NAME}"), key=_age, reverse=True):
        if journal.parent.is_symlink():
            continue
        try:
            events = read(journal).events
        except UsageError:
            continue  # damaged: told where it is asked for by name
        if events and not _ended(journal.parent, events) and not _unlike(events, kind):
            return journal.parent, events
    asked = ", ".join(f"{name} {value}" for name, value in kind.items() if value)
    raise UsageError(f"--resume: no run of {asked} in {paths.REPORTS} was killed: begin one without --resume")


def _age(journal: Path) -> tuple[int, str]:
    """Order journals by when they were last written; within a tick of the file system's clock by their names."""
    return journal.stat().st_mtime_ns, journal.parent.name


def named(name: str, kind: Mapping[str, str]) -> tuple[Path, tuple[ev.Event, ...]]:
    """Return the folder and the events of a run; raises UsageError as ``newest`` does, and where it is another kind."""
    folder = paths.REPORTS / name
    if not (folder / FILE_NAME).is_file():
        runs = (path.parent.name for path in paths.REPORTS.glob(f"*/{FILE_NAME}"))
        raise UsageError(f"--resume-run={name}: there is no such run in {paths.REPORTS}: {near_misses(name, runs)}")
    events = read(folder / FILE_NAME).events
    if not events:
        raise UsageError(f"--resume-run={name}: its journal is empty, there is nothing to resume: begin it anew")
    if _ended(folder, events):
        raise UsageError(f"--resume-run={name}: the run came to its end: begin a new one without --resume-run")
    unlike = _unlike(events, kind)
    if unlike:
        raise UsageError(f"--resume-run={name}: {unlike}: ask for the same, or begin a new run")
    return folder, events


def _ended(folder: Path, events: tuple[ev.Event, ...]) -> bool:
    """Say whether a run came to its end, of which its report is the last thing that is made.

    One that a person interrupted (exit code 2 of pytest) did not, though it has a report.
    """
    last = events[-1]
    return isinstance(last, ev.RunEnded) and last.exit_code != _INTERRUPTED and (folder / REPORT_NAME).exists()


def _unlike(events: tuple[ev.Event, ...], kind: Mapping[str, str]) -> str:
    """Say in what a run is not of a kind; empty where it is."""
    started = events[0]
    if not isinstance(started, ev.RunStarted):
        return "no run began in its journal"
    was = {
        "suite": started.suite,
        "testbed": started.testbed,
        "image": started.subject,
        "profile": started.profile,
        "tests": " ".join(started.selection),
    }
    unlike = [f"its {name} was {was[name]!r} and not {value!r}" for name, value in kind.items() if was[name] != value]
    return ", ".join(unlike)
