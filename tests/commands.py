"""Runs pytest on the suites, and the pixlab command, as a user would: in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab import paths


def environment(folder: Path, **more: str | Path) -> dict[str, str]:
    """Return an environment whose reports and state lie in ``folder``, so that no test touches those of the user."""
    own = {"PIXLAB_REPORTS": folder / "reports", "PIXLAB_STATE": folder / "state", **more}
    return {**os.environ, **{name: str(value) for name, value in own.items()}}


def run_suites(arguments: Sequence[str], folder: Path, **more: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``pytest`` with the arguments and return what it said."""
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(
        command,
        cwd=paths.ROOT,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def assert_one_line(done: subprocess.CompletedProcess[str], exit_code: int) -> str:
    """Check that a command ended with one line on stderr and nothing else, and return that line."""
    said = done.stderr.strip().splitlines()
    assert done.returncode == exit_code, f"exit {done.returncode}: {done.stdout}{done.stderr}"
    assert len(said) == 1, f"{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stdout + done.stderr
    return said[0]
