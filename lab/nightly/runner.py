"""Running a night: job by job, each as a process of its own, so that a lab that breaks costs one suite and no more."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from lab import paths
from lab.errors import UsageError
from lab.nightly import child, history, site
from lab.nightly.night import TEST_FAILED, JobRecord, Night
from lab.results import resumable
from lab.results.writer import RESULTS_NAME, read_results

_PASSED_OR_FAILED = (0, TEST_FAILED)


class Runner:
    """Runs what of a night has not come to its end."""

    def __init__(self, night: Night, store: str | None, say: Callable[[str], None]) -> None:
        """Prepare.

        Args:
            night: begun now, or to be gone on with.
            store: URL of the store; None: as lab.results.store.store_url says.
            say: told what happens, a line at a time.

        """
        self._night = night
        self._store = store
        self._say = say
        self._stopping = False

    def run(self) -> Night:
        """Run all jobs that fit into the time that is left, write the pages after each, and return the night.

        A signal to end (SIGINT, SIGTERM) stops the suite that runs so that it can go on, and begins no other.

        Raises:
            LabError: the store cannot be had, or the night cannot be written.

        """
        known_s = history.durations_s(self._night.testbed, self._store)
        with self._ended_by_signals():
            for number, record in enumerate(self._night.jobs):
                if record.state == "ended":
                    continue
                self._set(number, self._tried(number, record, known_s))
        return self._night

    def _tried(self, number: int, record: JobRecord, known_s: Mapping[tuple[str, str, str], float]) -> JobRecord:
        """Run a job, unless it does not fit; return what came of it."""
        left_s = self._night.ends_at_s - time.time()
        need_s = self._need_s(record, known_s)
        if self._stopping or left_s <= need_s:
            why = "the night was ended" if self._stopping else f"{left_s:.0f} s are left of the night"
            why += f", it took {need_s:.0f} s the last time" if need_s and not self._stopping else ""
            self._say(f"{record.job.name}: not run: {why}")
            kept = "stopped" if record.run else "left out"
            return record.model_copy(update={"state": kept, "reason": why})
        return self._run(number, record)

    def _need_s(self, record: JobRecord, known_s: Mapping[tuple[str, str, str], float]) -> float:
        """Return how long a job will take by what it took the last time, 0 where nobody knows."""
        job = record.job
        took_s = [
            taken_s
            for (suite, subject, profile), taken_s in known_s.items()
            if (suite, profile) == (job.suite, job.profile) and job.image in (None, subject)
        ]
        need_s = max(0.0, max(took_s, default=0.0) - record.duration_s)
        return need_s if job.limit_s is None else min(need_s, job.limit_s)

    def _run(self, number: int, record: JobRecord) -> JobRecord:
        log = self._night.folder / f"{number + 1:02}-{record.job.name.replace(' ', '-')}.log"
        run = _resumable(self._killed_run(record))
        command = record.job.command(self._night.testbed, self._store)
        if run is not None:
            command.append(f"--resume-run={run}")
        began_s = time.time()
        limit_s = record.job.limit_s
        end_at_s = self._night.ends_at_s if limit_s is None else min(self._night.ends_at_s, began_s + limit_s)
        self._say(f"{record.job.name}: begins{'' if run is None else f' again, with run {run}'}")
        begun = record.model_copy(update={"state": "running", "started_at_s": began_s, "run": run, "reason": ""})
        self._set(number, begun)
        said = log.stat().st_size if log.exists() else 0
        code = child.run(command, log, end_at_s, lambda: self._stopping)
        ended = begun.model_copy(
            update={
                "run": run or child.run_of(record.job.suite, self._night.testbed, began_s),
                "duration_s": record.duration_s + time.time() - began_s,
            }
        )
        out_of_time = self._stopping or time.time() >= end_at_s
        judged = self._judged(ended, code, out_of_time, child.last_words(log, said))
        self._say(f"{record.job.name}: {site.outcome(judged)}")
        return judged

    def _killed_run(self, record: JobRecord) -> str | None:
        """Return the run of a job that was killed together with the night, or stopped."""
        if record.run is not None or record.started_at_s is None:
            return record.run
        return child.run_of(record.job.suite, self._night.testbed, record.started_at_s)

    def _judged(self, record: JobRecord, code: int, out_of_time: bool, last_words: str) -> JobRecord:
        if code in _PASSED_OR_FAILED and record.run is not None:
            judged = history.judge(record.run, self._night.plan, self._store)
            return record.model_copy(update={"state": "ended", "exit_code": code, "judged": judged})
        if out_of_time and (code == child.STOPPED or code < 0):
            return record.model_copy(update={"state": "stopped", "reason": "out of time, --resume goes on with it"})
        why = f"killed by signal {-code}" if code < 0 else _lab_error(record.run) or last_words
        return record.model_copy(update={"state": "ended", "exit_code": child.lab_error(code), "reason": why})

    def _set(self, number: int, record: JobRecord) -> None:
        self._night = self._night.with_job(number, record)
        site.write(self._night)

    @contextmanager
    def _ended_by_signals(self) -> Iterator[None]:
        def end(_signal: int, _frame: FrameType | None) -> None:
            self._stopping = True

        before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _resumable(run: str | None) -> str | None:
    """Return the run if it can go on; one that left nothing, or ended, is begun anew."""
    if run is None or not (paths.REPORTS / run).is_dir():
        return None
    try:
        resumable.named(run, {})
    except UsageError:
        return None
    return run


def _lab_error(run: str | None) -> str:
    """Return why the first test of a run did not pass, which is what the lab broke at; empty where nobody knows."""
    path = paths.REPORTS / (run or "") / RESULTS_NAME
    tests = read_results(path).tests if run is not None and path.is_file() else ()
    return next((one.message for one in tests if one.outcome in ("failed", "error")), "")
