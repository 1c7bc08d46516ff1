"""A suite as a process of its own: started, watched, stopped so that it can go on, killed with the night."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab import paths
from lab.errors import LabError, UsageError
from lab.process import dying_with_parent
from lab.results import events as ev
from lab.results.journal import FILE_NAME, read

STOPPED = 2
"""Exit code of a pytest that was interrupted; its run can be resumed."""

_LOOK_S = 0.2
_GRACE_S = 120.0  # to let go of the testbed, and make the report of what there is


def run(command: Sequence[str], log: Path, end_at_s: float, stopping: Callable[[], bool]) -> int:
    """Run pytest on a suite, and return its exit code; negative where a signal ended it.

    Args:
        command: arguments of pytest.
        log: file that its output is appended to.
        end_at_s: when it is interrupted (Unix time).
        stopping: asked all the time; True interrupts it, too.

    """
    words = [sys.executable, "-m", "pytest", "-q", *command]
    with log.open("ab") as output:
        # A group of its own: Ctrl-C in the terminal of the night is for the night, which passes it on.
        process = subprocess.Popen(
            dying_with_parent(words),
            cwd=paths.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
        while process.poll() is None and time.time() < end_at_s and not stopping():
            time.sleep(_LOOK_S)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def run_of(suite: str, testbed: str, since_s: float) -> str | None:
    """Return the first run of a suite on a testbed that began after a Unix time: the lease lets no two of them run."""
    for journal in sorted(paths.REPORTS.glob(f"2*-{suite}-{testbed}-*/{FILE_NAME}")):
        if journal.stat().st_mtime < since_s - 1.0:
            continue
        try:
            events = read(journal).events
        except UsageError:
            continue
        first = events[0] if events else None
        if isinstance(first, ev.RunStarted) and first.at_s >= since_s and first.suite == suite:
            return journal.parent.name
    return None


def last_words(log: Path, begin: int) -> str:
    """Return the last line that a suite printed after its log had ``begin`` bytes, without the program's name."""
    text = log.read_bytes()[begin:].decode(errors="replace").splitlines()
    lines = [line.strip() for line in text if line.strip()]
    return lines[-1].removeprefix("pixlab: ") if lines else "it said nothing"


def lab_error(code: int) -> int:
    """Return the exit code of a LabError for that of a pytest: its own, or that of a lab that broke."""
    return code if code >= LabError.exit_code else LabError.exit_code
