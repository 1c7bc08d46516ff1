"""A night as it is kept: what was to be done, what came of it. Written anew after each step, so that it can go on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from lab import paths
from lab.errors import UsageError
from lab.metrics.difference import Difference
from lab.models import Model
from lab.nightly.plan import Job, Plan

FILE_NAME = "night.json"

PASSED = 0
TEST_FAILED = 1
REGRESSION = 2
INCOMPLETE = 3

State = Literal["waiting", "running", "ended", "stopped", "left out"]


class Judged(Model):
    """A measurement of tonight beside those of the nights before; ``difference`` is None where there are none."""

    metric: str
    frame_size_bytes: int
    unit: str
    value: float
    before: tuple[float, ...]
    difference: Difference | None

    @property
    def regression(self) -> bool:
        """Whether it is worse than before."""
        return self.difference is not None and self.difference.verdict == "regression"


class JobRecord(Model):
    """What came of a job. ``run`` is the folder of reports/; times are Unix times.

    ``waiting`` and ``left out`` (it would not have fitted) were not begun, ``running`` was killed together with the
    night, ``stopped`` ran out of time; all four go on at ``--resume``. ``exit_code`` is that of pytest, or of the
    lab's errors; a run that was killed is an error of the lab. ``reason`` says in words what is not clear from these.
    """

    job: Job
    state: State = "waiting"
    run: str | None = None
    started_at_s: float | None = None
    duration_s: float = 0.0
    exit_code: int | None = None
    reason: str = ""
    judged: tuple[Judged, ...] = ()

    @property
    def regressions(self) -> tuple[Judged, ...]:
        """What is worse than in the nights before."""
        return tuple(one for one in self.judged if one.regression)


class Night(Model):
    """A night. No job is begun or goes on after ``ends_at_s`` (Unix time)."""

    name: str
    testbed: str
    plan: Plan
    started_at_s: float
    ends_at_s: float
    jobs: tuple[JobRecord, ...]

    @property
    def complete(self) -> bool:
        """Whether every job came to its end."""
        return all(one.state == "ended" for one in self.jobs)

    @property
    def exit_code(self) -> int:
        """Return the first that applies: a test failed, a regression, the lab's first error, not all ran, success."""
        ended = [one for one in self.jobs if one.state == "ended"]
        if any(one.exit_code == TEST_FAILED for one in ended):
            return TEST_FAILED
        if any(one.regressions for one in ended):
            return REGRESSION
        errors = [one.exit_code for one in ended if one.exit_code]
        if errors:
            return errors[0]
        return PASSED if self.complete else INCOMPLETE

    @property
    def outcome(self) -> str:
        """Return what the exit code says, in words."""
        words = {PASSED: "success", TEST_FAILED: "a test failed", REGRESSION: "regression", INCOMPLETE: "incomplete"}
        return words.get(self.exit_code, "the lab failed")

    def with_job(self, number: int, record: JobRecord) -> Night:
        """Return the night with another record of a job, and keep it."""
        changed = self.model_copy(update={"jobs": (*self.jobs[:number], record, *self.jobs[number + 1 :])})
        changed.keep()
        return changed

    def keep(self) -> None:
        """Write it, whole or not at all."""
        part = self.folder / f"{FILE_NAME}.part"
        part.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        part.replace(self.folder / FILE_NAME)

    @property
    def folder(self) -> Path:
        """Where it is kept, with its page and the output of its suites."""
        return folder() / self.name


def folder() -> Path:
    """Return the folder of all nights."""
    return paths.REPORTS / "nights"


def begin(testbed: str, plan: Plan, jobs: tuple[Job, ...], budget_s: float) -> Night:
    """Begin a night; its folder is named after time and testbed."""
    stamp, number = f"{time.strftime('%Y%m%d-%H%M%S')}-{testbed}", 1
    name = stamp
    while (folder() / name).exists():
        number += 1
        name = f"{stamp}-{number}"
    (folder() / name).mkdir(parents=True)
    now_s = time.time()
    night = Night(
        name=name,
        testbed=testbed,
        plan=plan,
        started_at_s=now_s,
        ends_at_s=now_s + budget_s,
        jobs=tuple(JobRecord(job=job) for job in jobs),
    )
    night.keep()
    return night


def nights() -> tuple[Night, ...]:
    """Return all nights that can be read, the oldest first."""
    found = []
    for path in sorted(folder().glob(f"*/{FILE_NAME}")):
        try:
            found.append(Night.model_validate_json(path.read_text(encoding="utf-8")))
        except (ValidationError, UnicodeDecodeError):
            continue  # of another version of the lab
    return tuple(sorted(found, key=lambda night: night.started_at_s))


def unfinished(testbed: str) -> Night:
    """Return the newest night of a testbed, to go on with; UsageError where there is none that did not end."""
    own = [night for night in nights() if night.testbed == testbed]
    if not own:
        raise UsageError(f"--resume: there was no night on testbed {testbed!r}: begin one without --resume")
    if own[-1].complete:
        raise UsageError(f"--resume: the last night on testbed {testbed!r}, {own[-1].name}, ended: begin a new one")
    return own[-1]
