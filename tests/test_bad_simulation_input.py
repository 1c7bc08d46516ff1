"""What a user of ``pixlab simulate`` can get wrong, each answered by one clear line; each as a real process."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import paths
from lab.errors import LabError, UsageError
from tests.commands import assert_one_line, environment

QUICK = ("--workload", "ping-pong", "--seeds", "1", "--draws", "1")
SIMULATION = paths.ROOT / "lab" / "simulation"
MACHINE = (SIMULATION / "machines" / "e5-2670x2.yaml").read_text()

NOBODY = "a Dask scheduler that does not answer"
CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    NOBODY: ((*QUICK, "--dask", "tcp://127.0.0.1:1"), ("--dask tcp://127.0.0.1:1", "dask scheduler")),
    "an option that is not there": (("--bacth", "3"), ("--bacth", "--batch")),
    "a machine that is not there": (("--machine", "e5-2670x4"), ("did you mean 'e5-2670x2'?",)),
    "a workload that is not there": (("--workload", "ipv4-ruting"), ("did you mean 'ipv4-routing'?",)),
    "a layout that is not there": (("--layout", "paded"), ("did you mean 'padded'?",)),
    "an image that is not there": (("--image", "pix-paded"), ("pix-paded",)),
    "a placement that is not there": (("--placement", "neer"), ("--placement neer", "did you mean 'near'?")),
    "a queue that is no power of two": (("--queue-length", "100"), ("--queue-length 100", "power of two")),
    "no draw": (("--draws", "0"), ("--draws 0", "from 1 on")),
    "a placement that the machine has not": ((*QUICK, "--placement", "complex"), ("e5-2670x2", "complex")),
    "a sweep over nothing known": ((*QUICK, "--sweep", "bacth=1,2"), ("bacth", "did you mean 'batch'?")),
    "an empty sweep": ((*QUICK, "--sweep", "batch="), ("batch=", "empty")),
    "a latency below zero": ((*QUICK, "--sweep", "near=-20,20"), ("near=-20", "0 or more")),
    "a folder that is not there": ((*QUICK, "--csv", "FOLDER/no/x.csv"), ("--csv", "no folder")),
    "a record that is none": ((*QUICK, "--resume", "FOLDER/notes.txt"), ("notes.txt line 1", "sweep")),
    "a number without its source": (("--machine", "FOLDER/sourceless.yaml"), ("sourceless.yaml line", "source")),
    "a machine with a negative latency": (("--machine", "FOLDER/negative.yaml"), ("negative.yaml line", "near")),
    "a layout with two words in one place": (("--layout", "FOLDER/overlap.yaml"), ("overlap.yaml", "overlap")),
    "a calibration that was never made": (("--calibration", "here"), ("--calibration here", "pixlab calibrate")),
    "two things at once": (("--sensitivity", "--sweep", "batch=1,2"), ("--sensitivity", "leave one out")),
    "a check that is not there": (("--check", "99"), ("no check 99",)),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.CompletedProcess[str]]:
    """Run all the commands, as many at a time as there are cores."""
    folder = tmp_path_factory.mktemp("wrong")
    _write_files(folder)
    with ThreadPoolExecutor() as pool:
        done = pool.map(lambda case: _run(case[0], folder), CASES.values())
        return dict(zip(CASES, done, strict=True))


def _write_files(folder: Path) -> None:
    """Write the wrong files: each the good one with one thing changed."""
    (folder / "notes.txt").write_text("my notes\n")
    layout = (SIMULATION / "layouts" / "what-if-two-counters.yaml").read_text()
    for name, good, old, new in (
        ("sourceless", MACHINE, ', source: "published: Intel 82599, one port"', ""),
        ("negative", MACHINE, "low: 26.7", "low: -26.7"),
        ("overlap", layout, "offset_bytes: 16392", "offset_bytes: 16384"),
    ):
        assert old in good
        (folder / f"{name}.yaml").write_text(good.replace(old, new, 1))


def _run(arguments: tuple[str, ...], folder: Path) -> subprocess.CompletedProcess[str]:
    given = [each.replace("FOLDER", str(folder)) for each in arguments]
    command = [sys.executable, "-m", "lab.cli", "simulate", *given]
    return subprocess.run(
        command, cwd=paths.ROOT, env=environment(folder), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("case", CASES)
def test_one_line_says_what_and_where(case: str, said: dict[str, subprocess.CompletedProcess[str]]) -> None:
    line = assert_one_line(said[case], LabError.exit_code if case == NOBODY else UsageError.exit_code)
    for words in CASES[case][1]:
        assert words in line
