"""Nights on a computed device, whose trials take no time: real suites as real children, a real store."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lab import paths
from lab.machines.deadline import Deadline
from lab.nightly import night as nights
from lab.nightly import plan as plans
from lab.nightly.night import Night
from lab.nightly.runner import Runner
from lab.results.journal import FILE_NAME
from lab.results.store import put
from lab.testbed import lease
from lab.testbed.loader import load
from tests.commands import environment

PLAN = """
description: a short night
images: [pix-padded]
profile: quick
suites:
  - {suite: ipv4_routing, arguments: [-k, "throughput_by_bisection or ndr_and_pdr"]}
"""
TWO = PLAN.replace('"throughput_by_bisection or ndr_and_pdr"', "maximum_receive_rate") + "  - {suite: reordering}\n"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a lab of its own, in this process and in its children, with one testbed."""
    (tmp_path / "beds").mkdir()
    shutil.copy(paths.TESTBEDS / "reference-computed.yaml", tmp_path / "beds" / "bed.yaml")
    for name, value in environment(tmp_path, PIXLAB_TESTBEDS=tmp_path / "beds").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(paths, "REPORTS", tmp_path / "reports")
    monkeypatch.delenv("PIXLAB_STORE", raising=False)
    return tmp_path


def began(lab: Path, budget_s: float, text: str = PLAN) -> Night:
    (lab / "plan.yaml").write_text(text)
    plan = plans.load(lab / "plan.yaml")
    return nights.begin("bed", plan, plans.jobs(plan, load("bed", lab / "beds")), budget_s)


def ran(night: Night) -> tuple[Night, list[str]]:
    said: list[str] = []
    return Runner(night, None, said.append).run(), said


def repeated(lab: Path, run: str, times: int) -> None:
    """Put a run into the store again and again, as if it had been run in so many nights before."""
    for number in range(times):
        copy = lab / "reports" / f"{run[:8]}-00000{number}-before"
        copy.mkdir()
        lines = (lab / "reports" / run / FILE_NAME).read_text().splitlines()
        first = {**json.loads(lines[0]), "run_id": copy.name, "at_s": 1e9 + number}
        (copy / FILE_NAME).write_text("\n".join([json.dumps(first), *lines[1:], ""]))
        put(copy)


def test_a_night_is_judged_by_those_before(lab: Path) -> None:
    first, _ = ran(began(lab, 600.0))
    (job,) = first.jobs
    assert (first.exit_code, first.outcome, job.state) == (0, "success", "ended")
    assert job.run is not None
    assert {one.before for one in job.judged} == {()}
    repeated(lab, job.run, 5)

    none, said = ran(began(lab, 0.1))
    assert (none.exit_code, none.jobs[0].state) == (3, "left out")
    assert "not run: 0 s are left of the night, it took" in said[0]

    bed = lab / "beds" / "bed.yaml"
    bed.write_text(bed.read_text().replace("capacity_pps: 100000", "capacity_pps: 90000"))
    worse, said = ran(nights.unfinished("bed").model_copy(update={"ends_at_s": time.time() + 600.0}))
    (job,) = worse.jobs
    assert (worse.exit_code, worse.outcome, job.exit_code) == (2, "regression", 0)
    told = {(one.metric, one.frame_size_bytes): one for one in job.regressions}
    ndr = told["NDR", 64].difference
    assert ndr is not None
    assert ndr.ratio == pytest.approx(0.9, abs=0.02)
    assert all(len(one.before) == 6 for one in job.regressions)
    assert "passed, regression: " in said[-1]

    page = (worse.folder / "index.html").read_text()
    assert "regression (exit code 2)" in page
    assert f'href="../../{job.run}/index.html"' in page
    assert (lab / "reports" / str(job.run) / "index.html").is_file()
    index = (lab / "reports" / "nights" / "index.html").read_text()
    assert index.index(worse.name) < index.index(first.name)
    with pytest.raises(Exception, match="ended: begin a new one"):
        nights.unfinished("bed")


def test_what_runs_at_the_end_of_the_night_is_stopped(lab: Path) -> None:
    night, said = ran(began(lab, 1.0, PLAN.replace("-k", "-v, -k")))
    assert (night.exit_code, night.jobs[0].state) == (3, "stopped")
    assert said[-1] == "ipv4_routing: stopped: out of time, --resume goes on with it"
    assert nights.unfinished("bed") == night


def test_a_signal_ends_it_so_that_it_can_go_on(lab: Path) -> None:
    night = began(lab, 600.0, TWO)
    ender = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
    ender.start()
    ended, said = ran(night)
    assert (ended.exit_code, [job.state for job in ended.jobs]) == (3, ["stopped", "left out"])
    assert said[-1] == "reordering: not run: the night was ended"


def nightly(lab: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lab.cli", "nightly", "bed", *words]
    return subprocess.Popen(
        command, cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ)
    )


def test_a_broken_lab_costs_one_suite_and_a_killed_night_goes_on(lab: Path) -> None:
    (lab / "plan.yaml").write_text(TWO)
    with lease.take(load("bed", lab / "beds"), "another run"):
        night = nightly(lab, "--plan", str(lab / "plan.yaml"))
        assert night.stdout is not None
        said = [night.stdout.readline() for _ in range(2)]
    assert said[1].startswith("ipv4_routing: the lab failed with code 13: "), said
    assert "testbed 'bed' is in use by " in said[1]
    assert night.stdout.readline() == "reordering: begins\n"
    journals = lab / "reports"
    while not any(b'"event":"trial"' in path.read_bytes() for path in journals.glob(f"*-reordering-*/{FILE_NAME}")):
        assert night.poll() is None
        time.sleep(0.01)
    night.send_signal(signal.SIGKILL)
    night.communicate()
    (killed,) = journals.glob("*-reordering-*")
    deadline = Deadline(20.0)
    while lease.look(load("bed", lab / "beds")).holder is not None:  # its suite dies with it
        assert deadline.remaining_s > 0
        time.sleep(0.01)

    again = nightly(lab, "--resume")
    output, _ = again.communicate(timeout=60)
    assert again.returncode == 13, output
    assert output.splitlines()[0] == f"reordering: begins again, with run {killed.name}"
    assert output.splitlines()[1] == "reordering: passed"
    assert output.splitlines()[2].startswith("the lab failed: ")
    assert list(journals.glob("*-reordering-*")) == [killed]
    (kept,) = nights.nights()
    assert [(job.state, job.exit_code) for job in kept.jobs] == [("ended", 13), ("ended", 0)]
