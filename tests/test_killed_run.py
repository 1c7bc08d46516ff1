"""A run that is killed in the middle of a search: nothing it had is lost, and nothing it leaves blocks the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import paths
from lab.machines.deadline import Deadline
from lab.results.journal import read
from lab.testbed import lease, load
from tests.commands import environment

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the boot network needs root")


def processes_of(mark: str) -> list[str]:
    """Return the command lines of all processes with ``mark`` in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has ended meanwhile
            continue
    return [command for command in found if command]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "pytest", "suites/ipv4_routing/test_rfc2544.py", "-k", "ndr_and_pdr and 64B", "-q"]
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=paths.ROOT, env=environment(tmp_path), stdout=output, stderr=output, start_new_session=True
        )
    yield process
    process.kill()
    process.wait()


def test_a_killed_run_leaves_its_journal_and_nothing_else(
    running: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadline = Deadline(150.0)
    while not any(b'"event":"trial"' in path.read_bytes() for path in tmp_path.glob("reports/*/journal.jsonl")):
        assert running.poll() is None, (tmp_path / "output").read_text()
        assert deadline.remaining_s > 0, (tmp_path / "output").read_text()
        time.sleep(0.2)
    assert any("qemu-system" in command for command in processes_of(str(tmp_path)))

    running.send_signal(signal.SIGKILL)
    running.wait()

    gone = Deadline(10.0)
    while processes_of(str(tmp_path)) and gone.remaining_s > 0:
        time.sleep(0.1)
    assert processes_of(str(tmp_path)) == []
    (journal,) = tmp_path.glob("reports/*/journal.jsonl")
    assert any(event.event == "trial" for event in read(journal).events)
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path / "state"))
    with lease.take(load("virtual"), "the next run"):
        pass

    command = [sys.executable, "-m", "lab.cli", "report", journal.parent.name]
    done = subprocess.run(
        command, cwd=paths.ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (journal.parent / "index.html").exists()
    assert '"complete": false' in (journal.parent / "results.json").read_text()
