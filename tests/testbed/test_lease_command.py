"""``pixlab lease``, as its users type it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab import paths
from lab.testbed import lease
from lab.testbed.loader import load
from tests.commands import assert_one_line, environment

NAME = "reference-computed"


def pixlab(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lab.cli", *words]
    return subprocess.run(
        command, cwd=paths.ROOT, env=environment(folder), capture_output=True, text=True, timeout=60, check=False
    )


def holding(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lab.cli", "lease", "take", NAME, *words]
    process = subprocess.Popen(
        command, cwd=paths.ROOT, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "is yours until" in process.stdout.readline()
    return process


def listed(folder: Path) -> str:
    done = pixlab(folder, "lease", "list")
    assert done.returncode == 0, done.stderr
    return next(line for line in done.stdout.splitlines() if line.startswith(f"{NAME}\t"))


def test_taken_by_hand_listed_and_released(tmp_path: Path) -> None:
    holder = holding(tmp_path, "--for", "1h30m", "--purpose", "swapping cables")
    line = listed(tmp_path)
    assert f"(process {holder.pid}) since " in line
    assert " for swapping cables, until 20" in line
    said = assert_one_line(pixlab(tmp_path, "lease", "take", NAME), 13)
    assert said.startswith(f"pixlab: testbed '{NAME}' is in use by ")
    assert f"(process {holder.pid})" in pixlab(tmp_path, "lease", "release", NAME).stdout
    out, error = holder.communicate(timeout=20)
    assert (holder.returncode, out, error) == (0, f"{NAME} is given back\n", "")
    assert listed(tmp_path) == f"{NAME}\tfree"
    assert_one_line(pixlab(tmp_path, "lease", "release", NAME), 11)


def test_broken_and_ended_by_a_signal(tmp_path: Path) -> None:
    holder = holding(tmp_path)
    done = pixlab(tmp_path, "lease", "break", NAME)
    assert f"{NAME} was held by " in done.stdout
    _, error = holder.communicate(timeout=20)
    assert holder.returncode == 13
    assert error.startswith(f"pixlab: the lease of testbed '{NAME}' is lost: broken by ")
    assert len(error.splitlines()) == 1
    holder = holding(tmp_path)
    holder.send_signal(signal.SIGTERM)
    assert "is given back" in holder.communicate(timeout=20)[0]
    assert holder.returncode == 0


def test_a_run_on_what_was_set_aside_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path / "state"))
    lease.quarantine(load(NAME), "three boots failed: no kernel")
    assert ": three boots failed: no kernel" in listed(tmp_path)
    said = assert_one_line(pixlab(tmp_path, "lease", "take", NAME), 18)
    assert "`pixlab testbed restore reference-computed`" in said
    assert "in use again" in pixlab(tmp_path, "testbed", "restore", NAME).stdout
    assert "was not set aside" in pixlab(tmp_path, "testbed", "restore", NAME).stdout


def test_a_wrong_duration(tmp_path: Path) -> None:
    said = assert_one_line(pixlab(tmp_path, "lease", "take", NAME, "--for", "2"), 11)
    assert said == "pixlab: --for: '2' is no duration: write 90s, 30m, 2h or 1h30m"
