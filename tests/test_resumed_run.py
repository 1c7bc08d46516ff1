"""A run that is killed again and again, and resumed each time, comes to what an undisturbed one comes to.

On the computed reference: its trials are the same whenever they are asked for, so that results can be compared whole.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lab import paths
from lab.results.journal import read
from tests.commands import environment, run_suites

SUITE = ["suites/ipv4_routing", "--testbed=reference-computed"]
KILLS = 4
"""``python -m tests.test_resumed_run 50`` kills more often."""


def kill_and_resume(folder: Path, kills: int, seed: int) -> int:
    """Run the suite, kill it at random moments, resume it each time; returns how often it was really killed."""
    dice = random.Random(seed)
    killed, resume = 0, False
    for _ in range(kills):
        command = [sys.executable, "-m", "pytest", *SUITE, "-q", *(["--resume"] if resume else [])]
        run = subprocess.Popen(
            command, cwd=paths.ROOT, env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while run.poll() is None and not list(folder.glob("reports/*/journal.jsonl")):
            time.sleep(0.01)
        time.sleep(dice.uniform(0.0, 3.0))
        run.send_signal(signal.SIGKILL)
        if run.wait() != -signal.SIGKILL or ended(folder):
            break  # it came to its end before
        killed += 1
        resume = bool(begun(folder))
    return killed


def begun(folder: Path) -> list[Path]:
    """Return the journals with at least one event."""
    return [path for path in folder.glob("reports/2*/journal.jsonl") if read(path).events]


def ended(folder: Path) -> bool:
    """Say whether a run has its report, which is made last."""
    return any(folder.glob("reports/2*/index.html"))


def outcome(folder: Path) -> dict[str, Any]:
    """Return the results without what differs from run to run: names, times."""
    results: dict[str, Any] = json.loads((folder / "reports" / "latest" / "results.json").read_text())
    for key in ("run_id", "started_at", "ended_at", "notes"):
        del results[key]
    for test in results["tests"]:
        del test["duration_s"]
    return results


def test_killed_and_resumed_it_comes_to_the_same(tmp_path: Path) -> None:
    for name in ("undisturbed", "killed"):
        (tmp_path / name).mkdir()
    whole = run_suites(SUITE, tmp_path / "undisturbed")
    assert whole.returncode == 0, whole.stdout[-2000:]
    kill_and_resume(tmp_path / "killed", KILLS, seed=os.getpid())
    if not ended(tmp_path / "killed"):
        done = run_suites([*SUITE, "--resume"], tmp_path / "killed")
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "undisturbed")


def test_what_ended_is_not_resumed(tmp_path: Path) -> None:
    done = run_suites([*SUITE, "--resume"], tmp_path)
    assert done.returncode == 11
    assert done.stderr.startswith("pixlab: --resume: no run of suite ipv4_routing, testbed reference-computed, ")
    assert len(done.stderr.splitlines()) == 1


def main(kills: int) -> None:
    """Kill so often, whatever number of runs that takes, and compare each run that came to its end."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "undisturbed"
        whole.mkdir()
        run_suites(SUITE, whole)
        left, number = kills, 0
        while left > 0:
            number += 1
            one = Path(folder) / str(number)
            one.mkdir()
            killed = kill_and_resume(one, left, seed=number)
            left -= killed
            if not ended(one):
                run_suites([*SUITE, "--resume"], one)
            same = outcome(one) == outcome(whole)
            print(f"run {number}: killed {killed} times, the same result: {same}", flush=True)
            if not same:
                sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
